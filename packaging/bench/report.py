"""Writes results as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.cases import CASES, Row
from bench.errors import BenchError
from bench.figures import Summary, divide, summarize
from bench.gateways import OURS
from bench.results import Results
from bench.starts import START_ROWS

ROWS: tuple[Row, ...] = (*(figure.row for case in CASES for figure in case.figures), *START_ROWS)
OUR_NAME = "Claude NVIDIA Tray"
BEGIN = "<!-- Begin of what `dev.py bench --write` writes. -->"
END = "<!-- End of what `dev.py bench --write` writes. -->"

HOW = """
Each figure is the median of {rounds} with its quartiles, and less is better. In each round every gateway does
each case once, in changing order, and the ratio is formed within the round. The upstream and the clients are
processes of their own on the same machine, on loopback. Processor time is that of the gateway with all processes that
it started, in nanoseconds from `/proc`. The requests are made-up conversations of a coding agent: the next turn of a
session repeats all before it, as Claude Code does, and adds one tool call with its result. A delay is the time added
to that of the upstream asked directly; that of an event is counted from the median of the direct way.
""".strip()

NOT_MEASURED = """
What is not measured:

- TLS, the way to NVIDIA, and NVIDIA's own time, which is many times what any gateway adds.
- More than one machine. The load generator and the upstream share the processor with the gateway, and so lengthen
  delays when all are busy.
- Threads that end while a case runs: their processor time is not counted.
- Whether the answers are right, for gateways other than this one.

To place the figures: for a small request, measured on other machines in the manner of llm-gateway-bench, 0.44–0.62 ms
are published for Bifrost, 2.4–2.65 ms for Portkey and 4.3 ms for LiteLLM. The "11 µs" that Bifrost names leave JSON
and HTTP out. The row `small-request` is measured in that manner.
""".strip()


def choose_rows(names: str) -> set[str]:
    """The rows that --only names; a case such as `latency-50` stands for all of its rows."""
    known = {row.name for row in ROWS}
    groups = {case.name: {figure.row.name for figure in case.figures} for case in CASES}
    wanted: set[str] = set()
    for name in filter(None, (word.strip() for word in names.split(","))):
        if name not in known and name not in groups:
            raise BenchError(f"There is no row {name!r}. The rows are: {', '.join(row.name for row in ROWS)}.")
        wanted |= groups.get(name, {name})
    if not wanted:
        raise BenchError("--only names no row.")
    return wanted


def write_number(value: float) -> str:
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{decimals}f}"


def write_cell(summary: Summary | None) -> str:
    if summary is None:
        return "–"
    return f"{write_number(summary.median)} [{write_number(summary.q1)}–{write_number(summary.q3)}]"


def find_others(results: Results) -> list[str]:
    return [name for name in results.gateways if name != OURS]


def find_ratio(results: Results, row: str, other: str) -> Summary | None:
    """Our figure divided by the other's; None if one of them has no figure."""
    values = results.rows.get(row, {})
    if OURS not in values or other not in values:
        return None
    return summarize(divide(values[OURS], values[other]))


def write_table(results: Results) -> str:
    others = find_others(results)
    names = ["what", "unit", OUR_NAME, *others, *(f"ratio to {name}" for name in others)]
    lines = [write_line(names), write_line(["---"] * 2 + ["--:"] * (len(names) - 2))]
    for row in ROWS:
        values = results.rows.get(row.name)
        if values:
            figures = [write_cell(summarize(values.get(name, []))) for name in (OURS, *others)]
            ratios = [write_cell(find_ratio(results, row.name, name)) for name in others]
            lines.append(write_line([f"`{row.name}`: {row.sentence}", row.unit, *figures, *ratios]))
    return "\n".join(lines)


def write_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write_direct(results: Results) -> Iterator[str]:
    """A sentence with the times of the same jobs without a gateway."""
    figures = [(name, summarize(values)) for name, values in results.direct.items()]
    told = [f"`{name}` {write_number(summary.median)}" for name, summary in figures if summary]
    if told:
        yield f"Without a gateway the times, in ms, are: {', '.join(told)}."


def write_report(results: Results, picture: str = "") -> str:
    """The table with all that a reader must know of it. `picture` is its address; empty if there is none."""
    others = find_others(results)
    rounds = f"{results.rounds} rounds" if results.rounds > 1 else "one round"
    parts = [f"![Ratios of {OUR_NAME} to {' and '.join(others)}]({picture})"] if picture else []
    parts += [write_table(results), HOW.format(rounds=rounds), *write_direct(results)]
    if results.left_out:
        parts.append("Not measured this time:\n\n" + "\n".join(f"- {sentence}" for sentence in results.left_out))
    if results.faults:
        parts.append("What went wrong once:\n\n" + "\n".join(f"- {sentence}" for sentence in results.faults))
    parts += [f"Measured on {results.date}: {results.machine}. {results.versions}.", NOT_MEASURED]
    return "\n\n".join(parts) + "\n"


def replace_section(text: str, section: str) -> str:
    """The text with another section between the two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"README.md lacks the two marks between which the table is written: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{section}\n{END}{after}"
