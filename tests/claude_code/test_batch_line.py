"""The command line of a batch file: cmd.exe finds no command and no variable in any argument."""

from __future__ import annotations

import pytest

from tray_app.claude_code.batch_line import make_batch_line
from tray_app.errors import AppError

BEGIN = r'"C:\cmd.exe" /e:on /v:off /d /c ""C:\my tools\claude.cmd" '


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("-p", "-p"),
        ("--model=x", '"--model=x"'),
        ("", '""'),
        ("two words", '"two words"'),
        ('say "hi"', '"say ""hi"""'),
        ("a&calc", '"a&calc"'),
        ("^a|b>c<d", '"^a|b>c<d"'),
        ("%PATH%", '"%%cd:~,%PATH%%cd:~,%"'),
        ("!x!", '"!x!"'),
        ("C:\\folder\\", '"C:\\folder\\\\"'),
        ("C:\\folder", "C:\\folder"),
        ('\\"', '"\\\\"""'),
        ("größer", '"größer"'),
        ("a,b;c=d", '"a,b;c=d"'),
    ],
)
def test_each_argument_arrives_as_it_is(argument: str, quoted: str) -> None:
    assert make_batch_line(r"C:\cmd.exe", r"C:\my tools\claude.cmd", [argument]) == f'{BEGIN}{quoted}"'


@pytest.mark.parametrize("argument", ["a\nb", "a\rb", "a\0b"])
def test_what_cmd_cannot_pass_on_is_refused(argument: str) -> None:
    with pytest.raises(AppError, match="several lines"):
        make_batch_line("cmd.exe", "claude.cmd", [argument])
