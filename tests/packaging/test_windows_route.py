"""The parts of the route to the Windows bundle that need neither Wine nor a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wine.cache import cache_folder, keep
from wine.wine import Prefix

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the route is for Debian")


@pytest.fixture(autouse=True)
def _scratch_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_word(folder: Path) -> None:
    (folder / "word").write_text("made", encoding="utf-8")


def fail(_: Path) -> None:
    raise AssertionError("made once more")


def test_what_was_made_from_the_same_inputs_is_kept() -> None:
    kept = keep("thing", b"inputs", write_word)
    assert keep("thing", b"inputs", fail) == kept
    assert (kept / "word").read_text(encoding="utf-8") == "made"


def test_other_inputs_make_it_anew_and_the_old_one_goes() -> None:
    old, other = keep("thing", b"inputs", write_word), keep("other", b"inputs", write_word)
    new = keep("thing", b"other inputs", write_word)
    assert sorted(cache_folder().iterdir()) == sorted([new, other])
    assert new != old


def test_what_broke_on_the_way_leaves_nothing() -> None:
    def write_half(folder: Path) -> None:
        write_word(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        keep("thing", b"inputs", write_half)
    assert list(cache_folder().iterdir()) == []


def test_a_path_is_on_c_inside_the_prefix_and_on_z_outside(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path / "prefix")
    assert prefix.to_windows(prefix.drive_c / "python" / "python.exe") == r"C:\python\python.exe"
    assert prefix.to_windows(Path("/srv/a folder/file.txt")) == r"Z:\srv\a folder\file.txt"


def test_nothing_of_the_callers_environment_gets_into_the_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-of-the-user")
    monkeypatch.setenv("DISPLAY", ":0")
    program = tmp_path / "wineserver"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    Prefix(tmp_path / "prefix").wait()
    variables = (tmp_path / "environment").read_text(encoding="utf-8")
    assert f"WINEPREFIX={tmp_path}/prefix\n" in variables
    assert f"HOME={tmp_path}/prefix\n" in variables
    assert "DISPLAY" not in variables
    assert "nvapi" not in variables
