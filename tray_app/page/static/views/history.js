// What happened: sums of some days with a chart, and the requests themselves, which come from the database page by page.

import { download } from "../api.js";
import { barChart } from "../chart.js";
import { amount, count, countOf, dayName, duration, folderName, percent, shortDay } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { endedTable } from "./latest.js";

const PERIODS = [[7, "7 days"], [14, "14 days"], [30, "30 days"], [90, "90 days"], [0, "All"]];
const GROUPS = [["days", "Day"], ["models", "Model"], ["projects", "Project"]];
const MEASURES = [["requests", "Requests"], ["tokens", "Tokens"]];
const OUTCOMES = [["answered", "Answered"], ["failed", "Failed"], ["left", "Client left"], ["refused here", "Refused here"]];
const KINDS = {
  requests: [["answered", "answered"], ["left", "client left"], ["failed", "failed"]],
  tokens: [["in", "in"], ["out", "out"]],
};
const ANY = "*";

export const history = {
  name: "history",
  title: "History",
  open(page) {
    const before = page.data.history ?? { days: 14, group: "days", measure: "requests", model: ANY, project: ANY, outcome: ANY };
    page.data.history = { ...before, chosen: null, sums: null, requests: null, hasMore: false, newer: 0, isUnread: false, open: new Set(), bodies: {} };
    readAll(page);
  },
  hear(page, name) {
    if (name !== "ended" || !page.data.history?.requests) return;
    page.data.history.newer += 1;
  },
  render(page) {
    const data = page.data.history;
    return html`
      <section>
        <div class="row spread">
          <h1 tabindex="-1">${data.days ? `Last ${data.days} days` : "All days"}</h1>
          ${choice("Period", "period", PERIODS, data.days, (days) => change(page, { days, chosen: null }, readAll))}
        </div>
        ${data.isUnread ? unread(page) : data.sums ? summary(page, data) : html`<p role="status" class="dim">Reading the history…</p>`}
      </section>
      ${data.sums?.total ? [figures(page, data), requests(page, data)] : nothing}
      ${data.sums ? stored(page, data.sums.kept) : nothing}`;
  },
};

// ---- reading

async function readAll(page) {
  const data = page.data.history;
  const { days } = data;
  const [sums] = await Promise.all([page.read(`/page/sums?days=${days}`), readRequests(page)]);
  if (data !== page.data.history || days !== data.days) return; // another period is wanted by now
  data.isUnread = sums === undefined;
  data.sums = sums ?? null;
  page.update();
}

/** Reads the first requests, or those before a key. */
async function readRequests(page, before) {
  const data = page.data.history;
  const query = wanted(data);
  if (before) query.set("before", before);
  data.newer = before ? data.newer : 0;
  const found = await page.read(`/page/records?${query}`);
  if (!found || String(wanted(data)) !== String(without(query, "before"))) return;
  data.requests = before ? [...data.requests, ...found.requests] : found.requests;
  data.hasMore = found.has_more;
  page.update();
}

function wanted({ days, model, project, outcome }) {
  const query = new URLSearchParams({ days });
  for (const [name, value] of Object.entries({ model, project, outcome })) if (value !== ANY) query.set(name, value);
  return query;
}

function without(query, name) {
  query.delete(name);
  return query;
}

function change(page, changes, then) {
  Object.assign(page.data.history, changes);
  page.update();
  then?.(page);
}

// ---- the sentence, and the chart

function unread(page) {
  return html`<div class="notice bad row spread">The history cannot be read. <button @click=${() => readAll(page)}>Try again</button></div>`;
}

function summary(page, { sums, measure, chosen }) {
  const total = sums.total;
  if (!total) return html`<p class="dim">No request was recorded in this time. Each request to the gateway will appear here.</p>`;
  const cached = total.tokens_in && total.tokens_cached !== null ? `, ${percent(total.tokens_cached / total.tokens_in)} of them from the cache` : "";
  const tokens = total.tokens_in === null ? "no tokens counted" : `${amount(total.tokens_in)} tokens in${cached} · ${amount(total.tokens_out)} out`;
  const answered = total.success_rate === null ? "none judged" : `${percent(total.success_rate)} answered`;
  const bars = sums.bars.map((bar) => ({
    name: shortDay(bar.first_day),
    says: tell(bar),
    parts: !bar.sum ? [] : KINDS[measure].map(([kind]) => ({ kind, value: PARTS[kind](bar.sum) ?? 0 })),
  }));
  const span = sums.bars.some((bar) => bar.first_day !== bar.last_day) ? (sums.bars.length > 100 || daysOf(sums.bars[0]) > 7 ? "month" : "week") : "day";
  return html`<p class="dim">${countOf(total.requests, "request")} · ${tokens} · ${answered} · first token ${duration(total.first_token_s[0])} in the median</p>
    <figure class="card chart">
      <figcaption class="row spread">
        <h2>${measure === "tokens" ? "Tokens" : "Requests"} per ${span}</h2>
        <ul class="row legend">${KINDS[measure].map(([kind, name]) => html`<li><svg width="10" height="10" aria-hidden="true"><rect class=${kind} width="10" height="10" rx="2"/></svg> ${name}</li>`)}</ul>
        ${choice("Measure", "measure", MEASURES, measure, (wish) => change(page, { measure: wish }))}
      </figcaption>
      ${barChart({ label: `${measure} per ${span}; the table by day below has the figures`, bars, chosen, choose: (bar) => change(page, { chosen: bar }) })}
    </figure>`;
}

const PARTS = {
  answered: (sum) => sum.answered,
  left: (sum) => sum.left_early,
  failed: (sum) => sum.failed + sum.refused,
  in: (sum) => sum.tokens_in,
  out: (sum) => sum.tokens_out,
};

const daysOf = (bar) => (new Date(bar.last_day) - new Date(bar.first_day)) / 86_400_000 + 1;

function tell({ first_day, last_day, sum }) {
  const name = first_day === last_day ? dayName(first_day) : `${dayName(first_day)} to ${dayName(last_day)}`;
  if (!sum) return `${name}: no requests`;
  const parts = [
    `${count(sum.answered)} answered`,
    sum.failed && `${count(sum.failed)} failed`,
    sum.refused && `${count(sum.refused)} refused here`,
    sum.left_early && `${count(sum.left_early)} left by the client`,
  ].filter(Boolean).join(", ");
  const tokens = sum.tokens_in === null ? "" : ` · ${amount(sum.tokens_in)} tokens in, ${amount(sum.tokens_out)} out`;
  return `${name}: ${countOf(sum.requests, "request")}, ${parts}${tokens}`;
}

// ---- the sums as a table

function figures(page, { sums, group, days }) {
  const first = { days: "Day", models: "Model", projects: "Project" }[group];
  return html`<section aria-labelledby="sums">
    <div class="row spread">
      <h2 id="sums">By ${first.toLowerCase()}</h2>
      <div class="row">
        ${choice("Group by", "group", GROUPS, group, (wish) => change(page, { group: wish }))}
        <button class="quiet" @click=${() => save(page, `days=${days}`)}>Save as CSV</button>
      </div>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="sums"><table class="sums">
      <thead><tr><th scope="col">${first}</th><th scope="col" class="n">Requests</th><th scope="col" class="n">Answered</th><th scope="col" class="n">Tokens in</th>
        <th scope="col" class="n">Cached</th><th scope="col" class="n">Out</th><th scope="col" class="n">First token: median</th><th scope="col" class="n">95 % within</th><th scope="col" class="n">99 % within</th>${group === "days" ? html`<th scope="col">Most used</th>` : nothing}</tr></thead>
      <tbody>${sums[group].map((row) => figuresRow(row, group))}</tbody>
    </table></div>
  </section>`;
}

function figuresRow(row, group) {
  const name = {
    days: () => dayName(row.day),
    models: () => (row.id ? html`<span title=${row.id}>${row.label}</span>` : html`<span class="dim">no model asked</span>`),
    projects: () => (row.project ? html`<span title=${row.project}>${folderName(row.project)}</span>` : html`<span class="dim">not named</span>`),
  }[group]();
  if (row.requests === null) return html`<tr><th scope="row">${name}</th><td class="n dim">none</td><td colspan="8"></td></tr>`;
  return html`<tr><th scope="row">${name}</th>
    <td class="n">${count(row.requests)}</td>
    <td class="n ${row.success_rate !== null && row.success_rate < 0.9 ? "warn" : ""}">${percent(row.success_rate)}</td>
    <td class="n">${amount(row.tokens_in)}</td>
    <td class="n">${row.tokens_in && row.tokens_cached !== null ? percent(row.tokens_cached / row.tokens_in) : "none"}</td>
    <td class="n">${amount(row.tokens_out)}</td>
    ${row.first_token_s.map((time) => html`<td class="n">${duration(time)}</td>`)}
    ${group === "days" ? html`<td>${row.most_used || html`<span class="dim">none</span>`}</td>` : nothing}</tr>`;
}

// ---- the requests

function requests(page, data) {
  const { sums, requests: rows, hasMore, newer } = data;
  const pick = (changes) => change(page, { ...changes, requests: null }, readRequests);
  return html`<section aria-labelledby="requests">
    <div class="row spread"><h2 id="requests">Requests</h2>
      <button class="quiet" @click=${() => save(page, `what=requests&${wanted(data)}`)}>Save these as CSV</button></div>
    <div class="row filters">
      ${filter("Model", data.model, sums.models.map(({ id, label }) => [id, label || "no model asked"]), (model) => pick({ model }))}
      ${filter("Project", data.project, sums.projects.map(({ project }) => [project, project || "not named"]), (project) => pick({ project }))}
      ${filter("Result", data.outcome, OUTCOMES, (outcome) => pick({ outcome }))}
      ${newer ? html`<button @click=${() => readAll(page)}>Show ${countOf(newer, "newer request")}</button>` : nothing}
    </div>
    ${!rows ? html`<p class="dim" role="status">Reading…</p>` : rows.length ? endedTable(page, data, rows, "Requests") : html`<p class="dim">No request is like this. ${olderThanKept(data)}</p>`}
    ${rows?.length ? html`<div class="row"><span class="dim">${countOf(rows.length, "request")} shown${hasMore ? "" : ", which are all"}.</span>
      ${hasMore ? html`<button @click=${() => readRequests(page, rows.at(-1).number)}>Older</button>` : nothing}</div>` : nothing}
  </section>`;
}

const olderThanKept = ({ sums }) => `Each request is kept for ${countOf(sums.kept.days, "day")}; sums are kept for ever.`;

// ---- what is stored

function stored(page, kept) {
  const days = html`<a href="#/settings">${countOf(kept.days, "day")}</a>`;
  return html`<section aria-labelledby="stored">
    <h2 id="stored">What is stored</h2>
    <p>${kept.is_kept ? html`Each request is kept for ${days}, and sums per day for ever, in <code>${kept.file}</code>.` : html`<strong>Nothing is recorded now,</strong> because the <a href="#/settings">settings</a> say so. What was recorded is in <code>${kept.file}</code>.`}
      No text of a prompt or an answer is in it, and no key.</p>
    <div><button class="danger" @click=${() => document.getElementById("delete-history").showModal()}>Delete history…</button></div>
    <dialog id="delete-history" class="card" aria-labelledby="delete-title">
      <h2 id="delete-title">Delete the whole history?</h2>
      <p>All requests and all sums per day are deleted and overwritten in the file. This cannot be undone.</p>
      <form method="dialog" class="row"><button>Keep it</button>
        <button class="danger" @click=${() => remove(page)}>Delete all of it</button></form>
    </dialog>
  </section>`;
}

async function remove(page) {
  const done = await page.act({ do: "delete_history" });
  if (!done) return;
  page.say(done.sentence);
  readAll(page);
}

async function save(page, query) {
  await page.attempt(() => download(`/page/history.csv?${query}`));
}

// ---- controls

function choice(legend, name, options, chosen, choose) {
  return html`<fieldset class="switch"><legend class="unseen">${legend}</legend>
    ${options.map(([value, label]) => html`<label><input type="radio" name=${name} .checked=${value === chosen} @change=${() => choose(value)}><span>${label}</span></label>`)}
  </fieldset>`;
}

function filter(label, chosen, options, choose) {
  return html`<label class="filter"><span class="dim">${label}</span>
    <select @change=${(event) => choose(event.target.value)}>
      <option value=${ANY} .selected=${chosen === ANY}>any</option>
      ${options.map(([value, name]) => html`<option value=${value} .selected=${chosen === value}>${name}</option>`)}
    </select></label>`;
}
