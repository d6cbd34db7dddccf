// The control of each kind of setting: how its value is shown as text, and how it is read from what the user typed.

import { count } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

const JOIN = " = ";

/** Turns a value into what its control shows: true or false for a switch, a text for all others. */
export function show(row, value) {
  switch (row.kind) {
    case "switch": return value;
    case "lines": return value.join("\n");
    case "pairs": return Object.entries(value).map((pair) => pair.join(JOIN)).join("\n");
    case "json": return isEmpty(value) ? "" : JSON.stringify(value, null, 2);
    default: return String(value);
  }
}

/** Turns what a control shows into a value. A text that cannot be read stays one, so that the program says what is wrong. */
export function read(row, shown) {
  switch (row.kind) {
    case "number": return /^-?\d{1,15}$/.test(shown.trim()) ? Number(shown) : shown;
    case "lines": return splitLines(shown);
    case "pairs": return Object.fromEntries(splitLines(shown).map(splitPair));
    case "json": return readJson(shown);
    default: return shown;
  }
}

/** Describes a default in a few words. */
export function describe(row, value) {
  const shown = show(row, value);
  if (row.kind === "switch") return shown ? "on" : "off";
  if (row.kind === "choice") return row.choices.find((choice) => choice.id === value)?.label ?? shown;
  if (shown === "") return "none";
  return row.kind === "number" ? `${count(value)} ${row.unit}` : shown;
}

/** The control of a setting. `change(shown)` is called with each change of the user. */
export function control(row, shown, error, change) {
  const id = `setting-${row.name}`;
  const described = error ? `${id}-help ${id}-error` : `${id}-help`;
  const isFixed = Boolean(row.variable);
  const invalid = error ? "true" : nothing;
  const write = (event) => change(event.target.value);
  switch (row.kind) {
    case "switch":
      return html`<label class="check"><input id=${id} type="checkbox" .checked=${shown} ?disabled=${isFixed} aria-labelledby="${id}-title"
        aria-describedby=${described} @change=${(event) => change(event.target.checked)}><span aria-hidden="true">${shown ? "On" : "Off"}</span></label>`;
    case "choice":
      return html`<select id=${id} .value=${shown} ?disabled=${isFixed} aria-describedby=${described} @change=${write}>
        ${row.choices.map((choice) => html`<option value=${choice.id} ?selected=${choice.id === shown}>${choice.label}</option>`)}</select>`;
    case "number":
      // A field for numbers would hide from this page what is typed into it and is none, so that nothing could be said of it.
      return html`<span class="row"><input id=${id} class="number" type="text" inputmode="numeric" .value=${shown} ?readonly=${isFixed}
        aria-describedby=${described} aria-invalid=${invalid} autocomplete="off" @input=${write}><span class="dim">${row.unit}${row.least ? `, at least ${row.least}` : ""}</span></span>`;
    case "text":
      return html`<input id=${id} type="text" .value=${shown} ?readonly=${isFixed} aria-describedby=${described} aria-invalid=${invalid}
        placeholder=${row.example} autocomplete="off" autocapitalize="off" spellcheck="false" @input=${write}>`;
    default:
      return html`<textarea id=${id} class="code" rows=${Math.min(12, Math.max(2, shown.split("\n").length + 1))} .value=${shown} ?readonly=${isFixed}
        aria-describedby=${described} aria-invalid=${invalid} placeholder=${row.example} autocomplete="off" autocapitalize="off" spellcheck="false" @input=${write}></textarea>`;
  }
}

const isEmpty = (value) => Array.isArray(value) && value.length === 0;

const splitLines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function splitPair(line) {
  const [name, ...rest] = line.split("=");
  return [name.trim(), rest.join("=").trim()];
}

function readJson(text) {
  try {
    return JSON.parse(text.trim() || "[]");
  } catch {
    return text;
  }
}
