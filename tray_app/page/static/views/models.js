// Which models answer to the user's key, what each can do, and what the menu offers.

import { count, countOf, dateName, duration, shortTime } from "../format.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { correction, openCorrection } from "./models_correction.js";

const PAUSE_MS = 2000; // between two readings, however often the state changes

export const models = {
  name: "models",
  title: "Models",
  open(page) {
    page.data.models ??= { all: null, trials: {}, find: "", edit: null, isReading: false, isStale: false };
    load(page);
  },
  hear(page, name, data) {
    if (name === "state" || (name === "connection" && data === "live")) load(page);
  },
  render(page) {
    const { all } = page.data.models;
    if (!all) return html`<h1 tabindex="-1">Models</h1><p role="status" class="dim">Reading what is known of the models…</p>`;
    return html`
      <section>
        <h1 tabindex="-1">What answers to your key</h1>
        <div class="row"><p class="dim">${tell(all)}</p>
          <button class="quiet" ?disabled=${all.is_demo || all.look.left !== null} @click=${() => lookAgain(page)}>Look again</button></div>
      </section>
      <div class="families">${all.families.map((family) => familySection(page, all, family))}</div>
      ${menuSection(page, all)}
      ${fold(page, all, "absent", "Retired and not served", "Every known model answers, or nobody has asked it yet.", absentTable)}
      ${fold(page, all, "list", "Add from NVIDIA's list", "NVIDIA's list is not known yet.", listTable)}
      ${fold(page, all, "hidden", "Hidden", "", hiddenTable)}
      ${correction(page, load)}`;
  },
};

// ---- reading and doing

async function load(page) {
  const data = page.data.models;
  if (data.isReading) {
    data.isStale = true;
    return;
  }
  data.isReading = true;
  data.isStale = false;
  const all = await page.read("/page/models");
  if (all) data.all = all;
  page.update();
  setTimeout(() => {
    data.isReading = false;
    if (data.isStale && page.view === models) load(page);
  }, PAUSE_MS);
}

/** Has the program do something, and shows what has become of it. */
async function change(page, action, says) {
  const done = await page.act(action);
  if (!done) return;
  if (done.problem) page.say(done.problem, true);
  else page.say(says);
  page.data.models.isReading = false;
  await load(page);
  afterDrawing(() => {
    if (document.activeElement === document.body) document.querySelector("main h1")?.focus({ preventScroll: true });
  });
}

/** Calls a function when the page is drawn: the next frame draws it. */
const afterDrawing = (work) => requestAnimationFrame(() => requestAnimationFrame(work));

async function lookAgain(page) {
  if (await page.act({ do: "look_again" })) page.say("NVIDIA's list is read anew, and each model that is in doubt is asked. That takes some minutes, and your requests go first.");
}

async function test(page, { id }) {
  const { trials } = page.data.models;
  trials[id] = { isRunning: true };
  page.update();
  trials[id] = await page.act({ do: "test_model", model_id: id });
  load(page);
  page.update();
}

const use = (page, { id, label }) => change(page, { do: "choose_model", model_id: id }, `${label} answers from the next request on.`);
const hide = (page, { id, label }, isHidden) =>
  change(page, { do: "hide_model", model_id: id, is_hidden: isHidden }, isHidden ? `${label} is no longer offered.` : `${label} is offered again.`);
const putInMenu = (page, { id, label }, isIn) =>
  change(page, { do: "put_in_menu", model_id: id, is_in: isIn }, isIn ? `The menu offers ${label} now.` : `The menu no longer offers ${label}.`);

function move(page, all, number, step) {
  const order = [...all.menu];
  const [moved] = order.splice(number, 1);
  order.splice(number + step, 0, moved);
  all.menu = order; // at once, so that the next click counts from here
  page.update();
  const keep = `li[data-id="${CSS.escape(moved)}"] button:not(:disabled)`;
  afterDrawing(() => document.activeElement === document.body && document.querySelector(keep)?.focus()); // the one in use is off now
  return change(page, { do: "order_models", model_ids: order }, `${all.models[moved].label} is number ${number + step + 1} of the menu.`);
}

// ---- the sentence above

function tell({ is_demo, listed, answering, look, probes }) {
  if (is_demo) return "In the demo, NVIDIA is not asked. These are the models that the program knows.";
  if (look.left !== null) return html`<span class="live"></span>${countOf(look.left, "model")} still to be asked · ${countOf(answering, "model")} so far can answer and call tools`;
  const checked = look.ended_at === null ? "not looked yet" : `looked at ${shortTime(look.ended_at)}`;
  const list = listed === null ? "NVIDIA's list is not known" : `${count(listed)} listed`;
  return `${list} · ${count(answering)} answer and call tools · ${checked} · ${countOf(probes, "small check")} sent today`;
}

// ---- the board

function familySection(page, all, { label, ids }) {
  const name = `family-${ids[0].replace(/\W/g, "-")}`;
  return html`<section class=${`family ${{ 1: "", 2: "two" }[ids.length] ?? "wide"}`} aria-labelledby=${name}>
    <h2 id=${name}>${label} <span class="dim vendor">${ids[0].split("/")[0]}</span></h2>
    <div class="cards">${ids.map((id) => card(page, all, all.models[id]))}</div>
  </section>`;
}

function card(page, all, model) {
  const { id, label, stands_for: standsFor } = model;
  return html`<article class=${page.state.model.answering.id === id ? "card model used" : "card model"} aria-label=${label}>
    <div class="row spread"><h3>${label}</h3> ${stateOf(page, model)}</div>
    <p class="dim id">${id}${standsFor.length ? html`, in the place of ${standsFor.join(" and ")}` : nothing}</p>
    <dl>
      <dt>Your experience</dt><dd>${experience(model)}</dd>
      <dt>Can</dt><dd>${abilities(model)}</dd>
      <dt>Window</dt><dd>${countOf(model.facts.context_tokens, "token")}, answers up to ${count(model.facts.max_output_tokens)}</dd>
      ${model.found_at ? html`<dt>Found out</dt><dd>${shortTime(model.found_at)}</dd>` : html`<dt>Facts from</dt><dd class="dim">${model.source || "your settings"}</dd>`}
    </dl>
    ${trial(page, model)}
    <div class="row buttons">
      ${model.is_selected || page.state.model.answering.id === model.id ? nothing : html`<button @click=${() => use(page, model)}>Use<span class="unseen"> ${label}</span></button>`}
      ${testButton(page, all, model)}
      <button class="quiet" @click=${() => openCorrection(page, model)}>Limits…<span class="unseen"> of ${label}</span></button>
      ${backgroundButton(page, model)}
      ${model.is_selected ? nothing : html`<button class="quiet" @click=${() => hide(page, model, true)}>Hide<span class="unseen"> ${label}</span></button>`}
    </div>
  </article>`;
}

function stateOf(page, model) {
  const isInUse = page.state.model.answering.id === model.id;
  const words = [];
  if (isInUse) words.push(html`<span class="state ok">in use</span>`);
  if (model.is_background) words.push(html`<span class="state ok">background</span>`);
  if (model.calls_tools === false) words.push(html`<span class="state warn">calls no tools</span>`);
  if (model.answers && !words.length) words.push(html`<span class="state ok">answers</span>`);
  if (model.answers === null && !isInUse) words.push(html`<span class="state dim">not asked yet</span>`);
  if (Object.keys(model.corrected).length) words.push(html`<span class="mark">corrected</span>`);
  return html`<span class="row">${words}</span>`;
}

function experience({ asked, succeeded, first_token_s: firstToken, today }) {
  const parts = [
    `${Math.round((100 * succeeded) / asked)} % of ${count(asked)} answered`,
    firstToken === null ? "" : `first token ${duration(firstToken)}`,
    today ? `${count(today)} today` : "",
  ].filter(Boolean);
  if (asked) return parts.join(", ");
  return html`<span class="dim">none yet</span>${firstToken === null ? nothing : `; first token of a check ${duration(firstToken)}`}`;
}

function abilities({ calls_tools: tools, takes_images: images, thinks, efforts }) {
  const thinking = efforts.length ? `thinking (${efforts.join(", ")})` : thinks ? "thinking" : "";
  const found = [tools && "tools", images && "images", thinking].filter(Boolean);
  if (tools === null) return html`${found.join(", ") || "text"}; <span class="dim">tools are not tried yet</span>`;
  return found.join(", ") || "text";
}

function testButton(page, all, model) {
  const isRunning = page.data.models.trials[model.id]?.isRunning;
  return html`<button ?disabled=${isRunning || all.is_demo} @click=${() => test(page, model)}>${isRunning ? "Asking…" : "Test"}<span class="unseen"> ${model.label}</span></button>`;
}

function trial(page, { id }) {
  const found = page.data.models.trials[id];
  return html`<p role="status" class="trial">${found?.sentence ? html`<span class=${found.answers ? "ok" : "bad"}>${found.sentence}</span>` : nothing}</p>`;
}

function backgroundButton(page, { id, label, is_background: isBackground }) {
  const says = isBackground ? "The selected model answers in the background, too." : `${label} answers titles and sub-agents from now on.`;
  return html`<button class="quiet" title="Answers titles and sub-agents. Each model has its own limit of requests." aria-pressed=${isBackground}
    @click=${() => change(page, { do: "use_in_background", model_id: isBackground ? "" : id }, says)}>Background<span class="unseen"> work by ${label}</span></button>`;
}

// ---- the menu

function menuSection(page, all) {
  return html`<section aria-labelledby="in-menu">
    <h2 id="in-menu">The menu offers</h2>
    <ol class="menu card">${repeat(all.menu, (id) => id, (id, number) => {
      const model = all.models[id];
      return html`<li class="row" data-id=${id}>
        <span class="name">${model.label} <span class="dim">${model.answered_by ? `answered by ${model.answered_by}` : model.is_selected ? "selected" : ""}</span></span>
        <span class="row">
          <button class="quiet" ?disabled=${number === 0} @click=${() => move(page, all, number, -1)}>Up<span class="unseen"> ${model.label}</span></button>
          <button class="quiet" ?disabled=${number === all.menu.length - 1} @click=${() => move(page, all, number, 1)}>Down<span class="unseen"> ${model.label}</span></button>
          <button class="quiet" ?disabled=${model.is_selected} @click=${() => putInMenu(page, model, false)}>Take out<span class="unseen"> ${model.label}</span></button>
        </span></li>`;
    })}</ol>
    <p class="dim">More Models in the menu has all others that answer, the best first.</p>
  </section>`;
}

// ---- what does not answer, what is only listed, and what is hidden

function fold(page, all, name, title, nothingThere, table) {
  const rows = Object.values(all.models).filter(ROWS[name]);
  if (!rows.length && !nothingThere) return nothing;
  return html`<details class="fold"><summary><h2>${title}</h2> <span class="dim">${rows.length ? countOf(rows.length, "model") : nothingThere}</span></summary>
    ${rows.length ? table(page, all, rows) : nothing}</details>`;
}

const ROWS = {
  absent: (model) => model.place === "absent",
  list: (model) => model.is_listed && !model.is_in_menu && model.place !== "hidden",
  hidden: (model) => model.place === "hidden",
};

function absence({ absence: why, failing, retired_on: retiredOn }) {
  if (failing) return failing;
  if (!why) return "gives no answer";
  const date = why.date || (why.kind === "retired" ? retiredOn : "");
  const kinds = { retired: `retired${date ? ` ${dateName(date)}` : ""}`, "not served": "not served to your key", "not allowed": "your key may not use it", "not listed": "no longer listed" };
  return kinds[why.kind] ?? why.kind;
}

const newestFirst = (one, other) => dateOf(other).localeCompare(dateOf(one)) || one.id.localeCompare(other.id);
const dateOf = ({ absence: why, retired_on: retiredOn }) => why?.date || (why?.kind === "retired" ? retiredOn : "");

function absentTable(page, all, rows) {
  return grid("Models that do not answer", ["Model", "Why", "Who answers", "Found out"], rows.sort(newestFirst).map((model) => html`<tr>
    <td>${model.label} <span class="dim id">${model.id}</span>${trial(page, model)}</td>
    <td class="state bad">${absence(model)}</td>
    <td>${model.answered_by ?? html`<span class="dim">none</span>`}</td>
    <td class="t">${model.found_at ? shortTime(model.found_at) : "not asked"}</td>
    <td class="n">${testButton(page, all, model)} <button class="quiet" @click=${() => hide(page, model, true)}>Hide<span class="unseen"> ${model.label}</span></button></td></tr>`));
}

function listTable(page, all, rows) {
  const { find } = page.data.models;
  const words = find.toLowerCase().split(" ").filter(Boolean);
  const found = rows.filter(({ id, label }) => words.every((word) => `${id} ${label}`.toLowerCase().includes(word)));
  found.sort((one, other) => one.id.localeCompare(other.id));
  return html`<label class="filter"><span class="dim">Find a model</span> <input type="search" autocomplete="off" .value=${find}
      @input=${(event) => { page.data.models.find = event.target.value; page.update(); }}></label>
    ${found.length ? grid("Models that NVIDIA lists", ["Model", "For your key"], found.map((model) => html`<tr>
      <td>${model.label} <span class="dim id">${model.id}</span>${trial(page, model)}</td>
      <td>${forKey(model)}</td>
      <td class="n">${testButton(page, all, model)} <button @click=${() => putInMenu(page, model, true)}>Add<span class="unseen"> ${model.label} to the menu</span></button></td></tr>`))
      : html`<p class="dim" role="status">No listed model is like this.</p>`}`;
}

function forKey(model) {
  if (model.place === "absent") return html`<span class="bad">${absence(model)}</span>`;
  if (model.answers === null) return html`<span class="dim">not asked yet</span>`;
  return html`<span class="ok">${model.calls_tools ? "answers and calls tools" : model.calls_tools === false ? "answers, but calls no tools" : "answers"}</span>`;
}

function hiddenTable(page, all, rows) {
  return grid("Hidden models", ["Model"], rows.map((model) => html`<tr><td>${model.label} <span class="dim id">${model.id}</span></td>
    <td class="n"><button @click=${() => hide(page, model, false)}>Show<span class="unseen"> ${model.label} again</span></button></td></tr>`));
}

function grid(name, columns, rows) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${name}><table>
    <thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}<th scope="col"><span class="unseen">Actions</span></th></tr></thead>
    <tbody>${rows}</tbody></table></div>`;
}
