// The welcome: the key, the model, and the first request. It is shown until it is left, and when the key is at fault.

import { allSessions } from "../all_sessions.js";
import { copyButton } from "../copy.js";
import { count, duration } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyStep } from "./welcome_key.js";
import { loadChoices, modelStep } from "./welcome_models.js";

export const welcome = {
  name: "welcome",
  title: "Welcome",
  open(page) {
    page.data.welcome = { trials: {}, isChecking: false, check: null, hasField: false, asksRemoval: false };
    load(page);
  },
  hear(page, name) {
    if (name === "state") loadChoices(page);
    if (name === "ended") setTimeout(() => page.view === welcome && loadChoices(page), FINDINGS_MS);
  },
  render(page) {
    const steps = [keyStep(page), modelStep(page), connectStep(page)];
    const left = steps.filter((step) => !step.isDone).length;
    return html`<div class="steps" aria-busy=${!page.data.welcome.choices || !page.data.connections}>
      <div><h1 tabindex="-1">${left === 3 ? "Three steps, about a minute" : left ? "Welcome" : "Everything works"}</h1>
        <p class="dim">${SUBTITLES[left]}</p></div>
      ${steps.map(showStep)}
      ${footer(page, left)}
    </div>`;
  },
};

/** So long after a request, what it showed of the model is surely published. */
const FINDINGS_MS = 6000;

const SUBTITLES = [
  "Claude Code talks to NVIDIA's models through this program.",
  "One step is left.",
  "Two steps are left.",
  "Then Claude Code talks to NVIDIA's models through this program.",
];

async function load(page) {
  await Promise.all([loadChoices(page), loadConnections(page)]);
}

async function loadConnections(page) {
  page.data.connections = (await page.read("/page/connections")) ?? page.data.connections;
  page.update();
}

function showStep(step, index) {
  return html`<section class="step ${step.isDone ? "done" : ""}" aria-labelledby="step-${index}">
    <h2 id="step-${index}" tabindex="-1"><span class="mark" aria-hidden="true">${step.isDone ? "✓" : index + 1}</span>
      <span><span class="unseen">Step ${index + 1}: </span>${step.title}</span>
      <span class="state ${step.tone}">${step.state}</span></h2>
    ${step.content}
  </section>`;
}

// ---- The first request

function connectStep(page) {
  const first = findAnswered(page);
  const { connections } = page.data;
  return {
    title: "Connect Claude Code",
    isDone: Boolean(first),
    state: first ? "connected" : "waiting",
    tone: first ? "ok" : "",
    content: html`
      ${folderRow(page)}
      ${connections ? html`<p class="dim">or paste this line into a terminal of yours, in the folder of your project:</p>
        <div class="row"><code id="welcome-line">${connections.launcher}</code>${copyButton(page, "welcome-line", connections.launcher, "the line that starts Claude Code")}</div>` : nothing}
      ${allSessions(page)}
      <p role="status" class="first">${first ?? html`<span class="live"></span>${waitingWords(page)}`}</p>`,
  };
}

function folderRow(page) {
  const folders = page.state.facts.recent_folders;
  const open = () => page.act({ do: "open_claude_code", folder: document.getElementById("welcome-folder")?.value ?? "" });
  const where = folders.length > 1
    ? html`<label for="welcome-folder">in</label><select id="welcome-folder">${folders.map((folder) => html`<option value=${folder}>${folder}</option>`)}</select>`
    : html`<span class="dim">in ${folders[0] ?? "your home folder"}</span>`;
  return html`<div class="row"><button class="go" @click=${open}>Open Claude Code in a terminal</button>${where}</div>`;
}

/** Returns who was answered, in a sentence; null: nobody yet. */
function findAnswered(page) {
  const ended = page.ended.find(({ record }) => record?.outcome === "answered");
  if (ended) {
    const client = ended.record.session_id ? "Claude Code" : "A client";
    return `${client} is connected: ${ended.used} answered in ${duration(ended.record.first_token_s ?? ended.record.total_s)}.`;
  }
  const answered = page.state.today?.answered ?? 0;
  if (!answered) return null;
  return answered === 1 ? "A client is connected: 1 request was answered today." : `A client is connected: ${count(answered)} requests were answered today.`;
}

function waitingWords(page) {
  const failed = page.ended.find(({ record }) => record && record.outcome !== "answered");
  if (page.now?.requests?.length) return "The first request is here. Waiting for the answer…";
  if (failed) return html`A request came, and was not answered: ${failed.result?.word ?? failed.record.cause}. <a href="#/now">What can be done</a>`;
  return "Waiting for the first request…";
}

// ---- The end

function footer(page, left) {
  const { facts } = page.state;
  return html`<div class="after">
    ${facts.icon_place ? html`<p class="dim">The icon of this program is ${facts.icon_place}. Its menu has all of this, too.</p>` : nothing}
    <label class="check"><input type="checkbox" .checked=${facts.starts_at_login}
      @change=${(event) => startAtLogin(page, event.target)}>Start this program when I log in</label>
    <div class="row"><button class=${left ? "" : "go"} @click=${() => leave(page)}>${left ? "Not now" : "Show what happens"}</button>
      ${left ? html`<span class="dim">You find this again at <a href="#/welcome">Welcome</a>.</span>` : nothing}</div>
  </div>`;
}

async function startAtLogin(page, box) {
  const isDone = await page.act({ do: "start_at_login", is_on: box.checked });
  if (!isDone) box.checked = page.state.facts.starts_at_login;
}

async function leave(page) {
  page.hasLeftWelcome = true;
  if (page.state.facts.needs_welcome) await page.act({ do: "leave_welcome" });
  page.show("now");
}
