// A chart of bars, drawn as SVG. One bar is reached with Tab, the others with the arrow keys, and each says its figures.

import { html, nothing, svg } from "./vendor/lit-html/lit-html.js";
import { amount } from "./format.js";

const HEIGHT = 180;
const NAMES = 24;
const MOST_NAMES = 7;

/**
 * Draws bars. `bars` are `{name, says, parts}`: the label below it, the sentence that it stands for, and its parts from
 * the bottom up, each `{value, kind}`; no parts: nothing is known. `chosen` is the number of the bar whose sentence is
 * shown, and `choose(number)` is called for another one.
 */
export function barChart({ label, bars, chosen, choose }) {
  const top = niceTop(Math.max(0, ...bars.map(height)));
  const step = Math.max(1, Math.ceil(bars.length / MOST_NAMES));
  const reached = chosen ?? bars.length - 1;
  return html`<div class="bars">
    <div class="scale" aria-hidden="true">${[top, top / 2, 0].map((value) => html`<span>${top ? amount(value) : nothing}</span>`)}</div>
    <svg height=${HEIGHT + NAMES} role="group" aria-label=${label} @keydown=${(event) => move(event, bars.length, reached, choose)}>
      ${[0, 0.5, 1].map((part) => svg`<line class="grid" x1="0" x2="100%" y1=${line(part)} y2=${line(part)} />`)}
      ${bars.map((bar, number) => ((bars.length - 1 - number) % step ? nothing : drawName(bar.name, number, bars.length, step)))}
      ${bars.map((bar, number) => drawBar(bar, number, bars.length, top, number === reached, number === chosen, choose))}
    </svg>
    <p class="says">${chosen === null || !bars[chosen] ? "Point at a bar, or move with the arrow keys, to read its figures." : bars[chosen].says}</p>
  </div>`;
}

/** Every second name is left out on a narrow screen. */
function drawName(name, number, all, step) {
  const isSpare = ((all - 1 - number) / step) % 2 === 1;
  return svg`<text class=${isSpare ? "name spare" : "name"} x="${((number + 0.5) * 100) / all}%" y=${HEIGHT + 18} text-anchor="middle" aria-hidden="true">${name}</text>`;
}

function drawBar(bar, number, all, top, isReached, isChosen, choose) {
  const slot = 100 / all;
  const width = slot * Math.min(0.72, 0.28 + all * 0.02);
  const left = `${(number + 0.5) * slot - width / 2}%`;
  let below = 0;
  const parts = bar.parts.filter((part) => part.value > 0);
  return svg`<g class=${isChosen ? "bar chosen" : "bar"} role="img" tabindex=${isReached ? 0 : -1} aria-label=${bar.says}
    @focus=${() => choose(number)} @pointerenter=${() => choose(number)}>
    <rect class="slot" x="${number * slot}%" width="${slot}%" y="0" height=${HEIGHT} />
    ${parts.length ? nothing : svg`<line class="none" x1=${left} x2="${(number + 0.5) * slot + width / 2}%" y1=${HEIGHT - 2} y2=${HEIGHT - 2} />`}
    ${parts.map((part) => {
      const high = Math.max(2, (part.value / top) * (HEIGHT - 2));
      below += high;
      return svg`<rect class=${part.kind} x=${left} width="${width}%" y=${HEIGHT - 1 - below} height=${high} rx="1.5" />`;
    })}
  </g>`;
}

function move(event, all, reached, choose) {
  const next = { ArrowLeft: reached - 1, ArrowRight: reached + 1, Home: 0, End: all - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const number = Math.min(Math.max(next, 0), all - 1);
  choose(number);
  event.currentTarget.querySelectorAll("g.bar")[number]?.focus();
}

const line = (part) => 1 + part * (HEIGHT - 2);
const height = (bar) => bar.parts.reduce((sum, part) => sum + part.value, 0);

/** The smallest round number that is not below the highest bar, and whose half is a whole number. */
function niceTop(highest) {
  if (highest <= 0) return 0;
  const unit = 10 ** Math.floor(Math.log10(highest));
  const round = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].map((factor) => Math.round(factor * unit));
  return round.find((value) => value >= highest && value % 2 === 0) ?? 10 * unit;
}
