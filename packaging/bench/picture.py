"""Draws the ratios as a picture: one bar for each row and each other gateway, on a logarithmic scale around 1."""

from __future__ import annotations

import math
from html import escape

from bench.figures import Summary
from bench.report import OUR_NAME, ROWS, find_others, find_ratio
from bench.results import Results

LABELS_WIDTH = 150
PLOT_WIDTH = 470
NUMBERS_WIDTH = 100
BAR_HEIGHT = 14
ROW_GAP = 8
TOP = 58
FEWEST_POWERS = 1
STYLE = """
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.one { stroke: #1f2328; stroke-width: 1.5 }
.spread { stroke: #1f2328; stroke-width: 1.5 }
.bar0 { fill: #76b900 }
.bar1 { fill: #3b82c4 }
.bar2 { fill: #b58900 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .one, .spread { stroke: #e6edf3 }
  .bar1 { fill: #58a6ff }
  .bar2 { fill: #d2a93a }
}
"""

Bars = list[tuple[str, list[tuple[int, Summary]]]]
"""The name of each row, with the number of the other gateway and the ratio to it."""


def collect_bars(results: Results) -> Bars:
    bars: Bars = []
    for row in ROWS:
        ratios = [(number, find_ratio(results, row.name, name)) for number, name in enumerate(find_others(results))]
        present = [(number, ratio) for number, ratio in ratios if ratio is not None]
        if present:
            bars.append((row.name, present))
    return bars


class Scale:
    """A logarithmic scale in powers of two, as far to either side of 1 as the ratios go, and at least by one power."""

    def __init__(self, bars: Bars) -> None:
        powers = [math.log2(value) for _, ratios in bars for _, ratio in ratios for value in (ratio.q1, ratio.q3)]
        self.first = math.floor(min([*powers, -FEWEST_POWERS]))
        self.last = math.ceil(max([*powers, FEWEST_POWERS]))

    def place(self, ratio: float) -> float:
        """The distance from the left edge of the picture."""
        return LABELS_WIDTH + (math.log2(ratio) - self.first) / (self.last - self.first) * PLOT_WIDTH


def draw(results: Results) -> str:
    """The SVG; empty if there is nothing to compare with."""
    bars = collect_bars(results)
    if not bars:
        return ""
    scale = Scale(bars)
    height = TOP + sum(len(ratios) * BAR_HEIGHT + ROW_GAP for _, ratios in bars) + 6
    width = LABELS_WIDTH + PLOT_WIDTH + NUMBERS_WIDTH
    title = f"{OUR_NAME}, measured against {' and '.join(find_others(results))}: less than 1 is better"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text x="4" y="18">{escape(title)}</text>',
        *draw_legend(find_others(results)),
        *draw_grid(scale, height),
    ]
    top = TOP
    for name, ratios in bars:
        middle = top + len(ratios) * BAR_HEIGHT / 2 + 4
        lines.append(f'<text x="{LABELS_WIDTH - 8}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>')
        for number, ratio in ratios:
            lines += draw_bar(scale, top, number, ratio)
            top += BAR_HEIGHT
        top += ROW_GAP
    return "\n".join([*lines, "</svg>"]) + "\n"


def draw_legend(others: list[str]) -> list[str]:
    if len(others) < 2:
        return []
    lines, left = [], LABELS_WIDTH
    for number, name in enumerate(others):
        lines.append(f'<rect class="bar{number % 3}" x="{left}" y="24" width="10" height="10"/>')
        lines.append(f'<text class="small" x="{left + 14}" y="33">{escape(name)}</text>')
        left += 30 + 7 * len(name)
    return lines


def draw_grid(scale: Scale, height: int) -> list[str]:
    lines = []
    for power in range(scale.first, scale.last + 1):
        x = scale.place(2.0**power)
        style = "one" if power == 0 else "grid"
        label = f"{2.0**power:g}" if power >= 0 else f"1/{2**-power}"
        lines.append(f'<line class="{style}" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 4}"/>')
        lines.append(f'<text class="small" x="{x:.1f}" y="{TOP - 11}" text-anchor="middle">{label}</text>')
    return lines


def draw_bar(scale: Scale, top: float, number: int, ratio: Summary) -> list[str]:
    """The bar from 1 to the median, a thin line from quartile to quartile, and the number."""
    one, end = scale.place(1), scale.place(ratio.median)
    middle = top + BAR_HEIGHT / 2
    return [
        f'<rect class="bar{number % 3}" x="{min(one, end):.1f}" y="{top + 1:.1f}" width="{abs(end - one):.1f}"'
        f' height="{BAR_HEIGHT - 2}"/>',
        f'<line class="spread" x1="{scale.place(ratio.q1):.1f}" y1="{middle:.1f}" x2="{scale.place(ratio.q3):.1f}"'
        f' y2="{middle:.1f}"/>',
        f'<text x="{LABELS_WIDTH + PLOT_WIDTH + 10}" y="{top + BAR_HEIGHT - 3:.1f}">{ratio.median:.2f}</text>',
    ]
