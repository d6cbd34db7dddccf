"""Measures this checkout's gateway in a few minutes, and other gateways beside it. Linux only.

usage: python packaging/dev.py bench [--beside NAME=COMMAND]... [--rounds N] [--only ROW,ROW] [--json FILE] [--write]
       python packaging/dev.py bench --report

  --beside NAME=COMMAND  another gateway. {port} and {upstream} in its command stand for its port and the upstream's
                         address; its environment says the same: ADDR=127.0.0.1:PORT, UPSTREAM_URL, PROVIDER_API_KEY.
                         packaging/bench/floors.py has two programs that only pass bytes through
  --rounds N             how often each gateway does each case (5), after one time that does not count
  --only ROW,ROW         only these rows of the table
  --json FILE            keeps the results in this file, too
  --write                keeps the results in packaging/bench/results.json, and puts table and picture into README.md
  --report               makes the table and the picture in README.md anew from the kept results

It prints the table. The figures depend on the machine, and on what else it does.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NoReturn

from bench import picture, report
from bench.errors import BenchError
from bench.gateways import OURS, ROOT, Maker, make_own, read_beside
from bench.results import Results, begin_results, read_results
from bench.rounds import run_rounds, tell
from bench.usage import check_system

RESULTS = ROOT / "packaging" / "bench" / "results.json"
PICTURE = "assets/bench.svg"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BenchError(f"{message[:1].upper()}{message[1:]}. See `dev.py bench --help`.")


def read_options(words: list[str]) -> argparse.Namespace:
    assert __doc__ is not None
    parser = Parser(usage=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--beside", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args(words)
    if options.rounds < 1:
        raise BenchError("--rounds wants a number of at least 1.")
    if options.write and options.only:
        raise BenchError("--write puts the whole table into README.md: leave --only out.")
    if options.report and (options.beside or options.only or options.json or options.write):
        raise BenchError("--report measures nothing: give it alone.")
    return options


def find_makers(beside: list[str]) -> list[Maker]:
    makers = [make_own(), *map(read_beside, beside)]
    names = [maker.name for maker in makers]
    for name in names:
        if names.count(name) > 1:
            whose = " (the name of this checkout's gateway)" if name == OURS else ""
            raise BenchError(f"Two gateways are called {name!r}{whose}: give each --beside a name of its own.")
    return makers


def measure(makers: list[Maker], rounds: int, wanted: set[str]) -> Results:
    check_system()
    results = begin_results([maker.name for maker in makers], rounds)
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        run_rounds(makers, wanted, results, Path(scratch))
    return results


def write_files(results: Results, root: Path = ROOT) -> None:
    """Puts the table into README.md, and the picture beside the others."""
    drawing = picture.draw(results)
    if drawing:
        (root / PICTURE).write_text(drawing, encoding="utf-8")
    else:
        tell(f"{PICTURE} is not made, because there is no other gateway to compare with.")
    readme = root / "README.md"
    section = report.write_report(results, PICTURE if drawing else "")
    readme.write_text(report.replace_section(readme.read_text(encoding="utf-8"), section), encoding="utf-8")


def run(words: list[str]) -> None:
    options = read_options(words)
    if options.help:
        print(__doc__)
        return
    if options.report:
        write_files(read_results(RESULTS))
        return
    makers = find_makers(options.beside)
    wanted = report.choose_rows(options.only) if options.only is not None else {row.name for row in report.ROWS}
    results = measure(makers, options.rounds, wanted)
    if options.json:
        results.save(options.json)
    if options.write:
        results.save(RESULTS)
        write_files(results)
    print(report.write_report(results), end="")


def main(words: list[str]) -> int:
    try:
        run(words)
    except BenchError as error:
        tell(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
