"""A token lets one browser in, once, within two minutes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tray_app.page.tokens import make_address, mint_token, redeem_token


def test_a_token_is_good_once(tmp_path: Path) -> None:
    token = mint_token(tmp_path)
    assert redeem_token(tmp_path, token)
    assert not redeem_token(tmp_path, token)


def test_two_tokens_are_good_beside_each_other(tmp_path: Path) -> None:
    one, other = mint_token(tmp_path), mint_token(tmp_path)
    assert redeem_token(tmp_path, other)
    assert redeem_token(tmp_path, one)


def test_no_other_text_is_good(tmp_path: Path) -> None:
    mint_token(tmp_path)
    for text in ("", "x", "../page-tokens", "\0", "\ud800", "x" * 100_000):
        assert not redeem_token(tmp_path, text)


def test_an_old_token_is_worthless_and_is_removed_by_the_next_one(tmp_path: Path) -> None:
    old = mint_token(tmp_path)
    long_ago_s = time.time() - 3600
    for path in (tmp_path / "page-tokens").iterdir():
        os.utime(path, (long_ago_s, long_ago_s))
    mint_token(tmp_path)
    assert len(list((tmp_path / "page-tokens").iterdir())) == 1
    assert not redeem_token(tmp_path, old)


def test_the_files_of_tokens_do_not_tell_the_tokens(tmp_path: Path) -> None:
    token = mint_token(tmp_path)
    (path,) = (tmp_path / "page-tokens").iterdir()
    assert token not in path.name
    assert not path.read_bytes()


def test_the_token_stands_behind_the_hash_of_the_address(tmp_path: Path) -> None:
    assert make_address("http://127.0.0.1:3001", "abc") == "http://127.0.0.1:3001/#token=abc"
    assert make_address("http://127.0.0.1:3001", "abc", "models") == "http://127.0.0.1:3001/#/models?token=abc"
