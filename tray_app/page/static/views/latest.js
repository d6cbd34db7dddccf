// The requests that ended last, as a part of the view "now".

import { count, countOf, dateAndTime, dayOf, duration, timeOfDay } from "../format.js";
import { ifChanged } from "../unchanged.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

const FIRST_ROWS = 50;

export function latest(page) {
  const own = page.data.now;
  const rows = own.isAll ? page.ended : page.ended.slice(0, FIRST_ROWS);
  return html`<section aria-labelledby="latest">
    <h2 id="latest">Latest</h2>
    ${rows.length === 0 ? html`<p class="dim">None yet. A request stands here when it has ended.</p>` : html`
    ${endedTable(page, own, rows, "Latest requests")}
    ${page.ended.length > rows.length ? html`<div><button @click=${() => showAll(page)}>Show all ${count(page.ended.length)}</button></div>` : nothing}`}
    ${bodySwitch(page)}
  </section>`;
}

/** Requests that have ended, the newest first. `own.open` has the numbers of those whose details are shown. */
export function endedTable(page, own, rows, name) {
  const told = new Set(); // a way out is shown once for each kind of failure, at its newest row
  let day = new Date().toDateString();
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${name}><table class="requests latest" role="table" aria-label=${name}>
      <thead role="rowgroup"><tr role="row"><th role="columnheader">Time</th><th role="columnheader">What</th><th role="columnheader">Asked → used</th><th role="columnheader" class="n">Waited</th><th role="columnheader" class="n">First token</th><th role="columnheader" class="n">Total</th><th role="columnheader" class="n">Tokens in / out</th><th role="columnheader">Result</th><th role="columnheader"><span class="unseen">Details</span></th></tr></thead>
      ${repeat(rows, (row) => row.number, (row) => {
        const isOpen = own.open.has(row.number);
        const isTold = row.way_out !== null && !told.has(kindOf(row));
        if (isTold) told.add(kindOf(row));
        const bodies = isOpen ? own.bodies[row.number] : undefined;
        const before = day;
        day = new Date(1000 * row.record.began_at).toDateString();
        const newDay = day === before ? "" : day;
        return ifChanged([row, isOpen, isTold, bodies, newDay], () => html`${newDay ? dayRow(row) : nothing}${endedRow(page, own, row, isOpen, isTold)}`);
      })}
    </table></div>`;
}

const dayRow = ({ record }) => html`<tbody role="rowgroup" class="day"><tr role="row"><th role="rowheader" colspan="9">${dayOf(record.began_at)}</th></tr></tbody>`;

const kindOf = (row) => `${row.record.error} ${row.record.model_id}`;

function showAll(page) {
  page.data.now.isAll = true;
  page.update();
}

function endedRow(page, own, row, isOpen, isTold) {
  const { number, what, used, result, record } = row;
  return html`<tbody role="rowgroup" class=${isOpen ? "open" : ""}>
    <tr role="row">
      <td role="cell" class="t since">${timeOfDay(record.began_at)}</td>
      <td role="cell" class="what">${what.title} <span class="dim folder" title=${what.folder}>${what.project}</span></td>
      <td role="cell" class="model">${askedAndUsed(row)}</td>
      <td role="cell" class="n" data-label="Waited">${known(record.queue_wait_s, duration)}</td>
      <td role="cell" class="n" data-label="First token">${known(record.first_token_s, duration)}</td>
      <td role="cell" class="n" data-label="Total">${duration(record.total_s)}</td>
      <td role="cell" class="n" data-label="Tokens">${known(record.tokens_in, count)} / ${known(record.tokens_out, count)}</td>
      <td role="cell" class="doing"><span class=${`state ${result.tone}`}>${result.word}</span></td>
      <td role="cell" class="n buttons"><button class="quiet" aria-expanded=${isOpen} aria-controls=${`details-${number}`} aria-label=${`Details of request ${number}`} @click=${() => toggle(page, own, number)}>Details</button></td>
    </tr>
    ${isTold && !isOpen ? html`<tr role="row" class="way"><td role="cell" colspan="9">${wayOut(page, row.way_out)}</td></tr>` : nothing}
    <tr role="row" class="details" id=${`details-${number}`} ?hidden=${!isOpen}><td role="cell" colspan="9">${isOpen ? details(page, row, used) : nothing}</td></tr>
  </tbody>`;
}

const known = (value, write) => (value === null ? html`<span class="dim">none</span>` : write(value));

function askedAndUsed({ asked, used, record }) {
  const reason = ["", "tray"].includes(record.reason) ? nothing : html` <span class="chip">${record.reason}</span>`;
  if (!used) return html`${asked || "unknown"} <span class="dim">→ none</span>`;
  if (!record.reason) return used;
  return html`<span class="dim">${asked} →</span> ${used}${reason}`;
}

function wayOut(page, way) {
  const press = () => (way.action ? page.act(way.action) : (location.hash = `#/${way.view}`));
  return html`<div class="row"><span>${way.sentence}</span>${way.verb ? html`<button @click=${press}>${way.verb}</button>` : nothing}</div>`;
}

function toggle(page, { open }, number) {
  if (!open.delete(number)) open.add(number);
  page.update();
}

/** Every field of the record. */
function details(page, row, used) {
  const { record } = row;
  const speed = record.tokens_out && record.total_s > record.first_token_s ? record.tokens_out / (record.total_s - record.first_token_s) : null;
  const fields = [
    ["Began", dateAndTime(record.began_at)],
    ["Folder", record.project || "none told"],
    ["Session", record.session_id || "none told"],
    ["Asked for", record.asked || "unknown"],
    ["Model", record.model_id ? `${used} (${record.model_id})` : "none was asked"],
    ["Why it", row.why || "none was asked"],
    ["Waited for its turn", duration(record.queue_wait_s)],
    ["First token after", duration(record.first_token_s)],
    ["Total", duration(record.total_s)],
    ["Sent to NVIDIA", record.tries ? countOf(record.tries, "time") : "never"],
    ["Tokens in", count(record.tokens_in)],
    ["of which cached", count(record.tokens_cached)],
    ["Tokens out", count(record.tokens_out)],
    ["Tokens per second", speed === null ? "none" : count(Math.round(speed))],
    ["Tool calls", count(record.tool_calls)],
    ["Streamed", record.is_stream ? "yes" : "no"],
    ["In the background", record.is_background ? "yes" : "no"],
    ["Result", record.outcome],
    ["Error", record.error ? `${record.cause} (${record.error})` : "none"],
  ];
  return html`<div class="whole">
    ${row.way_out ? wayOut(page, row.way_out) : nothing}
    <dl>${fields.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </div>`;
}

function bodySwitch(page) {
  const flip = (event) => page.act({ do: "toggle_body_log", is_on: event.target.checked });
  return html`<div class="bodies-switch">
    <label class="check"><input type="checkbox" .checked=${page.state.log_bodies} aria-describedby="bodies-meaning" @change=${flip}> Log request and answer bodies</label>
    <p class="dim" id="bodies-meaning">While this is on, your prompts and the answers are written into the log file, and those of the latest requests can be read here. Keys are hidden. It is off unless you look for a fault.</p>
  </div>`;
}
