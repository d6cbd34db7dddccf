// Every setting, changed in place and saved together. What the program refuses has its sentence at its setting.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { control, describe, read, show } from "./settings_controls.js";
import { greetAgain, program } from "./settings_program.js";

const SAVE_DIALOG = "settings-save";

/** `drafts` holds what is not saved yet, by the name of the setting: {shown}, or {isReset: true}. */
const fresh = () => ({ all: null, drafts: {}, errors: {}, notes: [], find: "" });

export const settings = {
  name: "settings",
  title: "Settings",
  open: (page) => load(page),
  hear(page, name, data) {
    if (name === "connection" && data === "live") {
      greetAgain(page);
      load(page);
    } else if (name === "state" && summarize(data) !== page.data.settings?.summary) {
      set(page, { summary: summarize(data) });
      load(page);
    }
  },
  render(page) {
    const data = (page.data.settings ??= fresh());
    if (!data.all) return html`<h1 tabindex="-1">Settings</h1><p class="dim">Reading the settings…</p>`;
    return html`
      <div class="row spread">
        <h1 tabindex="-1">Settings</h1>
        <label class="find"><span class="unseen">Find a setting</span><input type="search" placeholder="Find a setting" autocomplete="off"
          .value=${data.find} @input=${(event) => set(page, { find: event.target.value })}></label>
      </div>
      ${data.find ? nothing : program(page)}
      <form class="settings-form" autocomplete="off" novalidate @submit=${(event) => submit(page, event)}>
        ${groups(page, data)}
        ${saveBar(page, data)}
      </form>
      ${saveDialog(page, data)}`;
  },
};

/** What others may have changed: the menu, a command, or an editor. */
const summarize = ({ model, key, log_bodies, keep_history, facts }) => JSON.stringify([model.id, key, log_bodies, keep_history, facts]);

async function load(page) {
  const all = await page.read("/page/settings");
  if (all) set(page, { all });
}

function set(page, changes) {
  page.data.settings = { ...(page.data.settings ?? fresh()), ...changes };
  page.update();
}

// ---- The groups

function groups(page, data) {
  const words = data.find.toLowerCase().split(" ").filter(Boolean);
  const isFound = (row) => words.every((word) => `${row.title} ${row.help} ${row.name}`.toLowerCase().includes(word));
  const found = data.all.groups.map((group) => ({ ...group, rows: group.rows.filter(isFound) })).filter((group) => group.rows.length);
  if (!found.length) return html`<p class="dim" role="status">No setting has these words.</p>`;
  return found.map((group) => html`<section aria-labelledby="group-${slug(group.title)}">
    <h2 id="group-${slug(group.title)}">${group.title}</h2>
    <div class="settings">${group.rows.map((row) => (row.kind === "key" ? keyRow(row) : settingRow(page, data, row)))}</div>
  </section>`);
}

function settingRow(page, data, row) {
  const id = `setting-${row.name}`;
  const draft = data.drafts[row.name];
  const error = data.errors[row.name];
  const shown = draft ? (draft.isReset ? show(row, row.default) : draft.shown) : show(row, row.value);
  const isWide = ["lines", "pairs", "json"].includes(row.kind);
  return html`<div class="setting ${isWide ? "wide" : ""} ${draft ? "changed" : ""}">
    <div class="words">
      <label id="${id}-title" for=${id}>${row.title}</label>
      <p id="${id}-help">${row.help}</p>
    </div>
    <div class="control">
      ${control(row, shown, error, (next) => write(page, row, next))}
      ${error ? html`<p id="${id}-error" class="bad">${error}</p>` : nothing}
      ${source(page, row, draft)}
    </div>
  </div>`;
}

/** Says where the value comes from, and offers the default. */
function source(page, row, draft) {
  const normal = describe(row, row.default);
  const reset = html`<button type="button" class="quiet" @click=${() => write(page, row, show(row, row.default), true)}>Reset<span class="unseen"> ${row.title}</span></button>`;
  if (row.variable) return html`<p class="dim">The environment variable <code>${row.variable}</code> sets it, and wins. The default is ${normal}.</p>`;
  if (draft) return html`<p class="dim"><span class="warn">Not saved yet.</span> <button type="button" class="quiet" @click=${() => write(page, row, show(row, row.value))}>Undo<span class="unseen"> ${row.title}</span></button></p>`;
  if (isSame(row.value, row.default)) return html`<p class="dim">default</p>`;
  return html`<p class="dim">Changed; the default is ${normal}. ${reset}</p>`;
}

function keyRow(row) {
  const place = row.place ? html`<p><span class="ok state">There is one.</span> It is in ${row.place}.</p>`
    : row.is_unknown ? html`<p class="warn">The system keyring does not answer, so nobody knows whether there is one.</p>`
    : html`<p>There is none.</p>`;
  const way = row.name === "nvidia_key"
    ? html`<p><a href="#/welcome">${row.place ? "Replace it" : "Add one"}</a></p>`
    : html`<p class="dim">A terminal sets or removes it: <code>claude-nvidia-tray set-key --server</code></p>`;
  return html`<div class="setting"><div class="words"><h3>${row.title}</h3><p>${row.help}</p></div><div class="control">${place}${way}</div></div>`;
}

const slug = (title) => title.toLowerCase().replaceAll(" ", "-");
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function write(page, row, shown, isReset = false) {
  const { [row.name]: _, ...drafts } = page.data.settings.drafts;
  const { [row.name]: __, ...errors } = page.data.settings.errors;
  if (isReset) drafts[row.name] = { isReset };
  else if (shown !== show(row, row.value)) drafts[row.name] = { shown };
  set(page, { drafts, errors });
}

// ---- Saving

function saveBar(page, data) {
  const count = Object.keys(data.drafts).length;
  if (!count) return nothing;
  return html`<div class="save" role="region" aria-label="Changes that are not saved">
    <p role="status">${count === 1 ? "One change is" : `${count} changes are`} not saved yet.</p>
    <div class="row">
      <button type="button" @click=${() => set(page, { drafts: {}, errors: {} })}>Discard</button>
      <button class="go">Save</button>
    </div>
  </div>`;
}

/** Saves, also if the user presses Enter in a field. */
function submit(page, event) {
  event.preventDefault();
  save(page);
}

function saveDialog(page, data) {
  return html`<dialog id=${SAVE_DIALOG} class="card" aria-labelledby="settings-save-title">
    <h2 id="settings-save-title">Save this?</h2>
    ${data.notes.map((note) => html`<p>${note}</p>`)}
    <form method="dialog" class="row"><button autofocus>Not yet</button><button class="go" @click=${() => save(page, true)}>Save</button></form>
  </dialog>`;
}

/** Saves all drafts. They are tried first, so that the user is told if they lead to something unexpected. */
async function save(page, isConfirmed = false) {
  const { all, drafts } = page.data.settings;
  const rows = all.groups.flatMap((group) => group.rows).filter((row) => drafts[row.name]);
  const changes = Object.fromEntries(rows.map((row) => [row.name, drafts[row.name].isReset ? null : read(row, drafts[row.name].shown)]));
  const answer = await page.act({ do: "change_settings", changes, is_trial: !isConfirmed });
  if (!answer) return;
  set(page, { errors: answer.errors, notes: answer.notes });
  const wrong = rows.find((row) => answer.errors[row.name]);
  if (wrong) {
    page.say("Nothing is changed yet, because a value is not right.", true);
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(`setting-${wrong.name}`)?.focus()));
  } else if (answer.notes.length) {
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(SAVE_DIALOG).showModal()));
  } else if (isConfirmed) {
    await finish(page, answer, "addr" in changes);
  } else {
    await save(page, true);
  }
}

async function finish(page, answer, isMove) {
  set(page, { drafts: {} });
  if (answer.moves_to) {
    location.assign(answer.moves_to);
    return;
  }
  if (answer.problem) page.say(answer.problem, true);
  else page.say(isMove ? "Saved. The program moves to its new address." : "Saved.");
  if (!isMove) await load(page);
}
