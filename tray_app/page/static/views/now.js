// What runs now, how fast NVIDIA takes requests, and how the last requests ended.

import { count, countOf, duration, percent } from "../format.js";
import "../ticking.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { headOf, latest } from "./latest.js";

const STORM = 3; // so many requests that fail at once are worth a sentence
const FRESH_S = 15; // older failures are not announced, such as those that a page is told when it opens

export const now = {
  name: "now",
  title: "Now",
  open(page) {
    page.data.now ??= { open: new Set(), bodies: {}, readsBodies: true, isAll: false, announcement: "", cancelled: 0 };
  },
  hear(page, name, data) {
    const own = page.data.now;
    if (name === "ended" && data.result.tone === "bad" && Date.now() / 1000 - endOf(data) < FRESH_S) {
      own.announcement = `${data.what.title} failed: ${data.result.word}.`;
    } else if (name === "now") {
      const storm = countFailing(data);
      if (storm >= STORM && !(own.storm >= STORM)) own.announcement = sayStorm(data, storm);
      own.storm = storm;
      keepFocus(own, data);
    } else if (name === "begun") {
      own.open.clear();
    }
  },
  render(page) {
    const { now, ended, state } = page;
    if (!now) return html`<h1 tabindex="-1">Now</h1><p class="dim">Waiting for the first word of the program…</p>`;
    const isNew = now.requests.length === 0 && ended.length === 0;
    return html`
      <section class="now">
        <div class="row spread"><h1 tabindex="-1">${state.is_paused ? "Paused" : "Listening"} on ${state.app.url.replace("http://", "") || location.host}</h1>
          <button title="New requests are refused until you resume. Those that run go on." @click=${() => page.act({ do: "pause", is_on: !state.is_paused })}>${state.is_paused ? "Resume" : "Pause"}</button></div>
        <p class="dim">${sayRunning(now)}</p>
        <div class="tiles">${pickGauges(page).map(gaugeTile)}${queueTile(now.queue)}${firstTokenTile(state.today)}${dayTile(now.day, state.today)}</div>
      </section>
      ${isNew ? noRequestYet(page) : html`${running(page)}${latest(page)}`}
      <p class="unseen" role="status">${page.data.now.announcement}</p>`;
  },
};

const endOf = (row) => row.record.began_at + row.record.total_s;
const isWaiting = (request) => request.state.word === "waiting for its turn";
const countFailing = (now) => now.requests.filter((request) => request.state.tone === "warn").length;

function sayStorm(now, failing) {
  const queue = now.queue ? ` It said that ${count(now.queue.waiting)} wait for ${count(now.queue.places)} places.` : "";
  return `NVIDIA does not answer ${count(failing)} requests at the moment.${queue} They are tried again by themselves.`;
}

function sayRunning({ requests }) {
  const waiting = requests.filter(isWaiting).length;
  const parts = [[requests.length - waiting, "running"], [waiting, "waiting"]].filter(([number]) => number);
  return parts.map(([number, word]) => `${count(number)} ${word}`).join(", ") || "Nothing runs at the moment.";
}

/** After a request was cancelled from the keyboard, its button is gone. The focus goes to what stands there now. */
function keepFocus(own, data) {
  if (!own.cancelled || data.requests.some((request) => request.number === own.cancelled)) return;
  own.cancelled = 0;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById("running")?.focus();
  }));
}

// The tiles

/** Returns the gauges of the models that the user's requests need. Those that only small probes asked are left out. */
function pickGauges({ now, ended }) {
  const since = Date.now() / 1000 - 60;
  const used = new Set([now.day.model_id, ...now.requests.map((request) => request.model_id)]);
  for (const row of ended) if (endOf(row) > since) used.add(row.record.model_id);
  return now.gauges.filter((gauge) => used.has(gauge.model_id) || gauge.waiting || gauge.is_pause);
}

function gaugeTile(gauge) {
  const { used, limit, model } = gauge;
  const share = limit ? Math.min(used / limit, 1) : 0;
  return html`<div class="tile">
    <svg class=${`ring ${gauge.is_pause || share >= 1 ? "full" : ""}`} viewBox="0 0 64 64" aria-hidden="true">
      <circle cx="32" cy="32" r="27"></circle>
      ${share ? svg`<circle class="used" cx="32" cy="32" r="27" pathLength="100" stroke-dasharray="${100 * share} 100"></circle>` : nothing}
    </svg>
    <div><b>${count(used)} <small>${limit ? `of ${count(limit)}` : "without a limit"}</small></b>
      <span>requests this minute</span><em>${model}: ${saySlot(gauge)}</em></div>
  </div>`;
}

function saySlot({ next_slot_at, is_pause, waiting }) {
  const queue = waiting ? `, ${count(waiting)} ${waiting === 1 ? "waits" : "wait"}` : "";
  if (next_slot_at === null) return `a slot is free${queue}`;
  return html`${is_pause ? "NVIDIA wants a pause, " : ""}next slot in <time-left at=${next_slot_at}></time-left>${queue}`;
}

function queueTile(queue) {
  if (!queue) return tile("none", "", "known of NVIDIA's own queue", "NVIDIA tells it when it is overloaded");
  const told = html`${queue.model}, told <time-since at=${queue.told_at}></time-since> ago`;
  return tile(count(queue.waiting), `for ${countOf(queue.places, "place")}`, "in NVIDIA's own queue", told);
}

function firstTokenTile(today) {
  const median = duration(today?.first_token_p50_s).split(" ");
  const within = today?.first_token_p95_s == null ? "no answer yet today" : `95 % within ${duration(today.first_token_p95_s)}`;
  return tile(median[0], median.slice(1).join(" "), "to the first token, median today", within);
}

function dayTile(day, today) {
  const answered = today?.success_rate == null ? "no answer yet today" : `${percent(today.success_rate)} of all requests answered`;
  return tile(count(day.requests), `of about ${count(day.limit)}`, `calls to ${day.model} today`, answered);
}

const tile = (figure, unit, name, more) =>
  html`<div class="tile"><div><b>${figure} <small>${unit}</small></b><span>${name}</span><em>${more}</em></div></div>`;

// The running requests

function running(page) {
  const { requests } = page.now;
  return html`<section aria-labelledby="running">
    <h2 id="running" tabindex="-1">Running</h2>
    ${requests.length === 0 ? html`<p class="dim">Nothing. A request of Claude Code appears here as soon as it arrives.</p>` : html`
    <div class="scroll" tabindex="0" role="region" aria-label="Running requests"><table class="requests running" role="table" aria-labelledby="running">
      ${headOf(["Since", "What", "Model", "State", "#Tokens", "*Actions"])}
      <tbody role="rowgroup">${repeat(requests, (request) => request.number, (request) => runningRow(page, request))}</tbody>
    </table></div>`}
  </section>`;
}

function runningRow(page, { number, began_at, what, asked, model, state, tokens, other }) {
  return html`<tr role="row">
    <td role="cell" class="t since"><time-since at=${began_at}></time-since></td>
    <td role="cell" class="what">${what.title} <span class="dim folder" title=${what.folder}>${what.project}</span></td>
    <td role="cell" class="model" title=${`asked as ${asked}`}>${model || "none yet"}</td>
    <td role="cell" class="doing"><span class=${`state ${state.tone}`}>${state.word}</span>
      <span class="dim">${sayMore(state)}</span></td>
    <td role="cell" class="n tokens" data-label="Tokens">${tokens === null ? html`<span class="dim">none</span>` : `about ${count(tokens)}`}</td>
    <td role="cell" class="n buttons">
      ${other ? html`<button @click=${() => page.act({ do: "ask_instead", number, model_id: other.id })}>Ask ${other.label}</button>` : nothing}
      <button class="quiet" aria-label=${`Cancel request ${number}`} @click=${() => cancel(page, number)}>Cancel</button></td>
  </tr>`;
}

function sayMore({ details, note, next, next_at }) {
  const parts = [details, next_at === null ? "" : html`${next} <time-left at=${next_at}></time-left>`, note].filter(Boolean);
  return parts.map((part, index) => html`${index ? ", " : ""}${part}`);
}

function cancel(page, number) {
  page.data.now.cancelled = number;
  page.act({ do: "cancel_request", number });
}

function noRequestYet(page) {
  return html`<section class="card empty">
    <h2>No request yet</h2>
    <p>As soon as Claude Code asks something, you see here what it does: whether it waits for its turn, thinks, writes or calls a tool.</p>
    <div class="row"><a class="button" href="#/connect">Connect Claude Code</a>
      <button class="quiet" @click=${() => page.act({ do: "open_claude_code" })}>Open it in a terminal</button></div>
  </section>`;
}
