// The end of the log, which follows what is logged for as long as the user is at its end.

import { count } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";

const LOOK_MS = 1500;
const NEAR_PX = 24;
const WORDS = { WARNING: ["Warning", "warn"], ERROR: ["Error", "bad"], CRITICAL: ["Error", "bad"], INFO: ["Info", "dim"], DEBUG: ["Info", "dim"] };

const fresh = () => ({ mark: "", records: null, find: "", level: "all", isAway: false, timer: 0 });

export const logs = {
  name: "logs",
  title: "Logs",
  open(page) {
    page.data.logs = { ...fresh(), ...page.data.logs, isAway: false };
    look(page);
  },
  close(page) {
    clearTimeout(page.data.logs.timer);
  },
  render(page) {
    const data = (page.data.logs ??= fresh());
    const found = select(data);
    return html`
      <div class="row spread">
        <h1 tabindex="-1">Logs</h1>
        <div class="row">
          <label><span class="unseen">Find in the log</span><input type="search" placeholder="Find in the log" autocomplete="off"
            .value=${data.find} @input=${(event) => change(page, { find: event.target.value })}></label>
          <label><span class="unseen">Show</span><select .value=${data.level} @change=${(event) => change(page, { level: event.target.value })}>
            <option value="all">Everything</option>
            <option value="warn">Warnings and errors</option>
            <option value="bad">Errors</option>
          </select></label>
          <button @click=${() => page.act({ do: "open_log_folder" })}>Open folder</button>
        </div>
      </div>
      <p class="dim">${page.state.log_bodies
        ? html`<span class="warn">Request bodies are logged</span>, so your prompts are here, without keys and images.`
        : "One line for each request. No prompt, no answer and no key is in it."}</p>
      <div class="log" tabindex="0" role="log" aria-live="off" aria-label="The end of the log" @scroll=${(event) => scroll(page, event.target)}>
        ${found.length ? html`<ol>${repeat(withDays(found), (record) => record.id, line)}</ol>` : html`<p class="dim">${emptiness(data)}</p>`}
      </div>
      <div class="row spread dim">
        <p>${data.records ? found.length === data.records.length ? `The last ${count(found.length)} entries` : `${count(found.length)} of the last ${count(data.records.length)} entries` : nothing}</p>
        ${data.isAway ? html`<p>Not following while you read. <button @click=${() => goToEnd(page)}>Go to the newest</button></p>` : html`<p>Following</p>`}
      </div>`;
  },
};

/** Returns the records with an entry before the first one of each day. */
function withDays(records) {
  return records.flatMap((record, place) => {
    const isNew = record.day && record.day !== records[place - 1]?.day;
    return isNew ? [{ id: `day ${record.day} ${place}`, isDay: true, day: record.day }, record] : [record];
  });
}

function line(record) {
  if (record.isDay) return html`<li class="day dim">${record.day}</li>`;
  const [word, look] = WORDS[record.level] ?? ["", "dim"];
  return html`<li><time class="dim">${record.time}</time><span class="state ${look}">${word}</span><span>${record.text}</span></li>`;
}

function emptiness(data) {
  if (!data.records) return "Reading the log…";
  return data.records.length ? "No entry of the log has these words." : "Nothing was logged yet.";
}

function select(data) {
  const words = data.find.toLowerCase().split(" ").filter(Boolean);
  const levels = { all: () => true, warn: (look) => look === "warn" || look === "bad", bad: (look) => look === "bad" };
  return (data.records ?? []).filter((record) => levels[data.level](WORDS[record.level]?.[1])
    && words.every((word) => record.text.toLowerCase().includes(word)));
}

function change(page, changes) {
  Object.assign(page.data.logs, changes);
  page.update();
  stayAtEnd(page);
}

/** Reads what is new, and again after a while. What the user reads stays as it is. */
async function look(page) {
  const data = page.data.logs;
  clearTimeout(data.timer);
  const isHere = () => page.view === logs;
  if (!data.isAway && document.visibilityState === "visible" && page.connection !== "lost") {
    const answer = await page.read(`/page/log?mark=${encodeURIComponent(data.mark)}`);
    if (!isHere()) return;
    if (answer?.records && !data.isAway) {
      data.mark = answer.mark;
      data.records = number(answer.records);
      page.update();
      stayAtEnd(page);
    }
  }
  data.timer = setTimeout(() => isHere() && look(page), LOOK_MS);
}

/** Gives each record an id that stays the same when older ones are gone. Equal records of one second are counted. */
function number(records) {
  const seen = new Map();
  return records.map((record) => {
    const key = `${record.day} ${record.time} ${record.level} ${record.text}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return { ...record, id: `${seen.get(key)} ${key}` };
  });
}

const box = () => document.querySelector(".log");

function stayAtEnd(page) {
  if (!page.data.logs.isAway) requestAnimationFrame(() => requestAnimationFrame(() => box()?.scrollTo(0, box().scrollHeight)));
}

function scroll(page, element) {
  const isAway = element.scrollHeight - element.scrollTop - element.clientHeight > NEAR_PX;
  if (isAway === page.data.logs.isAway) return;
  page.data.logs.isAway = isAway;
  page.update();
}

function goToEnd(page) {
  page.data.logs.isAway = false;
  look(page);
  stayAtEnd(page);
  box()?.focus();
}
