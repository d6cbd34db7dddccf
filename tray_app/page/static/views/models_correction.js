// The dialog in which the user corrects what is known of a model. The program checks each fact as in the settings file.

import { count } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

const DIALOG = "model-correction";
const FACTS = [
  ["label", "Name", "text", "in the menu and on this page"],
  ["letter", "Letter", "text", "in the icon"],
  ["context_tokens", "Window", "number", "tokens, for prompt and answer together"],
  ["max_output_tokens", "Longest answer", "number", "tokens, with its thinking"],
  ["takes_images", "Sees images", "switch", "otherwise a note stands in their place"],
  ["takes_json_schema", "Takes a schema for its answer", "switch", "otherwise the schema is an instruction"],
  ["takes_required_tool_choice", "Can be told to call a tool", "switch", "otherwise an instruction says so"],
  ["takes_top_k", "Takes top_k", "switch", "otherwise it is left out"],
  ["successor", "Who answers in its place", "model", "if NVIDIA does not serve it"],
];

/** Opens the dialog for a model of the board. */
export function openCorrection(page, model) {
  const values = Object.fromEntries(FACTS.map(([name]) => [name, String(model.corrected[name] ?? "")]));
  page.data.models.edit = { model, values, errors: {}, problem: "" };
  page.update();
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(DIALOG)?.showModal()));
}

/** Draws the dialog, which is closed unless `openCorrection` was called. `saved(page)` is called after a change. */
export function correction(page, saved) {
  const { edit, all } = page.data.models;
  return html`<dialog id=${DIALOG} class="card" aria-labelledby="${DIALOG}-title" @close=${() => close(page)}>
    ${edit ? html`<h2 id="${DIALOG}-title">What is known of ${edit.model.label}</h2>
    <p class="dim">An empty field is what the program knows or finds out. What you enter here wins, and is kept in the settings file.</p>
    <form class="facts" autocomplete="off" @submit=${(event) => save(event, page, saved)}>
      ${FACTS.map((fact) => field(page, edit, all, fact))}
      ${edit.problem ? html`<p class="bad" role="alert">${edit.problem}</p>` : nothing}
      <div class="row"><button class="go">Save</button><button type="button" @click=${() => document.getElementById(DIALOG).close()}>Cancel</button></div>
    </form>` : nothing}
  </dialog>`;
}

function field(page, edit, all, [name, title, kind, help]) {
  const id = `fact-${name}`;
  const error = edit.errors[name];
  return html`<div class="field">
    <label for=${id}>${title}</label>
    ${control(page, edit, all, name, kind, id, error)}
    <p class="dim" id="${id}-help">${help}</p>
    ${error ? html`<p class="bad" id="${id}-error">${error}</p>` : nothing}
  </div>`;
}

function control(page, edit, all, name, kind, id, error) {
  const describedBy = error ? `${id}-error ${id}-help` : `${id}-help`;
  const write = (event) => {
    edit.values[name] = event.target.value;
    delete edit.errors[name];
    page.update();
  };
  const value = edit.values[name];
  const known = edit.model.corrected[name] === undefined ? edit.model.facts[name] : undefined;
  if (kind === "text" || kind === "number") {
    const placeholder = known === undefined ? "as the program knows" : kind === "number" ? count(known) : String(known);
    return html`<input id=${id} type="text" inputmode=${kind === "number" ? "numeric" : "text"} placeholder=${placeholder} aria-invalid=${Boolean(error)}
      aria-describedby=${describedBy} .value=${value} @input=${write}>`;
  }
  const options = kind === "switch" ? [["true", "yes"], ["false", "no"]] : Object.values(all.models).filter((one) => one.id !== edit.model.id && one.place === "board").map((one) => [one.id, one.label]);
  if (value && !options.some(([one]) => one === value)) options.push([value, value]);
  const unset = kind === "model" ? "the best relative" : known === undefined ? "as the program knows" : `as known (${known ? "yes" : "no"})`;
  return html`<select id=${id} aria-invalid=${Boolean(error)} aria-describedby=${describedBy} @change=${write}>
    ${[["", unset], ...options].map(([one, label]) => html`<option value=${one} .selected=${one === value}>${label}</option>`)}</select>`;
}

async function save(event, page, saved) {
  event.preventDefault();
  const { edit } = page.data.models;
  const facts = Object.fromEntries(FACTS.map(([name, , kind]) => [name, read(kind, edit.values[name].trim())]));
  const done = await page.act({ do: "correct_model", model_id: edit.model.id, facts });
  if (!done) {
    edit.problem = page.message?.text ?? "";
    page.update();
    return;
  }
  edit.errors = done.errors;
  edit.problem = done.problem ?? "";
  page.update();
  const wrong = Object.keys(done.errors)[0];
  if (wrong) document.getElementById(`fact-${wrong}`).focus();
  if (wrong || edit.problem) return;
  document.getElementById(DIALOG).close();
  page.say("Saved. It counts from the next request on.");
  saved(page);
}

/** Returns the value as the settings file has it. A text that is no number stays a text, and the program says what is wrong. */
function read(kind, text) {
  if (text === "") return null;
  if (kind === "number") return /^\d{1,15}$/.test(text.replaceAll(",", "")) ? Number(text.replaceAll(",", "")) : text;
  return kind === "switch" ? text === "true" : text;
}

function close(page) {
  page.data.models.edit = null;
  page.update();
}
