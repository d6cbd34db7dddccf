// The welcome: the key, the model, and the first request. It is shown until it is left, and when the key is at fault.

import { allSessions } from "../all_sessions.js";
import { copyButton } from "../copy.js";
import { count, duration, percent } from "../format.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

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
    return html`<div class="steps">
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

async function loadChoices(page) {
  const data = page.data.welcome;
  if (data.isLoading) {
    data.isStale = true;
    return;
  }
  data.isLoading = true;
  data.choices = (await page.read("/page/choices")) ?? data.choices;
  data.isLoading = false;
  page.update();
  if (data.isStale) {
    data.isStale = false;
    await loadChoices(page);
  }
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

// ---- The key

function keyStep(page) {
  const { key, app, facts } = page.state;
  const data = page.data.welcome;
  const isGood = key.has && !key.is_refused;
  const [state, tone] = app.is_demo && !key.has ? ["not needed in the demo", "ok"]
    : key.is_refused ? ["NVIDIA refuses it", "bad"]
    : key.has ? [data.check?.is_accepted ? "NVIDIA accepts it" : "there is one", "ok"]
    : key.is_unknown ? ["the keyring is locked", "warn"]
    : ["missing", "warn"];
  const hasField = data.hasField || data.isChecking || (!isGood && !app.is_demo);
  return {
    title: "Your NVIDIA key",
    isDone: isGood || app.is_demo,
    state,
    tone,
    content: html`
      ${app.is_demo ? demoWords(page) : nothing}
      ${key.is_unknown ? html`<p>A key may be in the system keyring, which gives no answer. Unlock it, then
        <button class="quiet" @click=${() => page.act({ do: "ask_keyring" })}>ask it again</button></p>` : nothing}
      ${hasField ? keyField(page) : nothing}
      ${checkResult(data.check)}
      ${facts.key_place && !data.check?.place ? html`<p class="dim">${facts.key_place}</p>` : nothing}
      ${keyButtons(page, hasField)}`,
  };
}

function demoWords(page) {
  return html`<p>This is the demo: its answers are canned, and no key is needed. If you enter a key here, it is kept for later. To get
    real answers then, run <code>${page.data.connections?.start ?? "claude-nvidia-tray start"}</code>, which ends the demo.</p>`;
}

function keyField(page) {
  const { isChecking } = page.data.welcome;
  // It is no field for a password, and has a name that no password manager knows, so that none fills or keeps it.
  return html`
    <p>You get a free key on <a href="https://build.nvidia.com" target="_blank" rel="noopener noreferrer">build.nvidia.com</a>,
      NVIDIA's own site. Paste it here: NVIDIA checks it at once, and it is not shown again.</p>
    <div class="field"><label for="nim-line">NVIDIA API key</label>
      <div class="row wide"><input id="nim-line" name="nim-line" class="masked" type="text" autocomplete="off" autocapitalize="off"
        spellcheck="false" placeholder="nvapi-…" data-1p-ignore data-lpignore="true" data-bwignore data-form-type="other"
        ?disabled=${isChecking} @paste=${() => setTimeout(() => saveKey(page))}
        @keydown=${(event) => event.key === "Enter" && saveKey(page)}>
      <button class="go" ?disabled=${isChecking} @click=${() => saveKey(page)}>Check and save</button></div></div>
    <p role="status">${isChecking ? html`<span class="live"></span>Checking the key with NVIDIA…` : nothing}</p>`;
}

function checkResult(check) {
  if (!check) return nothing;
  return html`<div role="status" class="notice ${check.is_saved ? (check.is_accepted ? "" : "warn") : "bad"}"><p>${check.sentence} ${check.place}</p>
    ${check.notes.map((note) => html`<p>${note}</p>`)}</div>`;
}

function keyButtons(page, hasField) {
  const data = page.data.welcome;
  const { key, facts } = page.state;
  const set = (changes) => () => {
    Object.assign(data, changes);
    page.update();
  };
  if (data.asksRemoval) {
    return html`<div class="row"><span>Remove the key? NVIDIA's models do not answer without one.</span>
      <button class="danger" @click=${() => removeKey(page)}>Remove it</button><button @click=${set({ asksRemoval: false })}>Keep it</button></div>`;
  }
  const mayEnter = !hasField && (key.has || page.state.app.is_demo);
  const mayRemove = key.has && !facts.key_variable && !data.isChecking;
  if (!mayEnter && !mayRemove) return nothing;
  return html`<div class="row">
    ${mayEnter ? html`<button @click=${set({ hasField: true, check: null })}>${key.has ? "Enter another key" : "Enter a key"}</button>` : nothing}
    ${mayRemove ? html`<button class="quiet" @click=${set({ asksRemoval: true })}>Remove the key</button>` : nothing}
  </div>`;
}

async function saveKey(page) {
  const field = document.getElementById("nim-line");
  const data = page.data.welcome;
  const key = field?.value.trim();
  if (!key || data.isChecking) return;
  Object.assign(data, { isChecking: true, check: null });
  page.update();
  const check = await page.act({ do: "save_key", key });
  Object.assign(data, { isChecking: false, check: check ?? null });
  if (check?.is_saved) {
    field.value = ""; // the page forgets it, too
    data.hasField = false;
    document.getElementById("step-0")?.focus();
  }
  page.update();
}

async function removeKey(page) {
  const done = await page.act({ do: "remove_key" });
  Object.assign(page.data.welcome, { asksRemoval: false, check: null });
  if (done) page.say(done.sentence);
  page.update();
}

// ---- The model

function modelStep(page) {
  const { choices, look } = page.data.welcome.choices ?? {};
  const chosen = choices?.find((choice) => choice.is_chosen);
  const trial = chosen && page.data.welcome.trials[chosen.id];
  const answers = page.state.app.is_demo || trial?.answers || (chosen?.answers ?? false);
  const [state, tone] = page.state.app.is_demo ? ["canned answers", "ok"]
    : answers ? [`${chosen.answering.label} answers`, "ok"]
    : look?.left != null ? [`looking, ${count(look.left)} left`, ""]
    : chosen?.answers === false ? ["it does not answer", "bad"]
    : ["not known yet", ""];
  return {
    title: "Model",
    isDone: Boolean(answers),
    state,
    tone,
    content: choices ? html`
      <div class="cards">${repeat(choices, (choice) => choice.id, (choice) => modelCard(page, choice))}</div>
      <p class="dim">You can switch at any time, also in the middle of a session. <a href="#/models">All models that answer</a></p>` : nothing,
  };
}

function modelCard(page, choice) {
  const { answering, absence } = choice;
  const trial = page.data.welcome.trials[choice.id];
  const isOther = answering.id !== choice.id;
  return html`<div class="card ${choice.is_chosen ? "chosen" : ""}">
    <h3>${isOther ? answering.label : choice.label}</h3>
    ${absence ? html`<p class="dim">${absenceWords(choice)}</p>` : nothing}
    ${page.state.app.is_demo ? html`<p class="dim">In the demo, every model gives the same canned answers.</p>` : figures(choice)}
    <div class="row">
      <label class="check"><input type="radio" name="welcome-model" .checked=${choice.is_chosen}
        @change=${() => page.act({ do: "choose_model", model_id: choice.id })}>${choice.is_chosen ? "Chosen" : "Choose"}<span class="unseen"> ${choice.label}</span></label>
      <button ?disabled=${trial?.isRunning} @click=${() => test(page, choice)}>${trial?.isRunning ? "Testing…" : "Test"}<span class="unseen"> ${answering.label}</span></button>
    </div>
    <p role="status" class=${trial?.answers === false ? "bad" : "ok"}>${trial?.sentence ?? nothing}</p>
  </div>`;
}

function absenceWords({ label, absence, answering, id }) {
  const since = absence.date ? ` since ${absence.date}` : "";
  const who = answering.id === id ? "" : ` ${answering.label} answers in its place.`;
  return `${label} is ${absence.kind}${since}.${who}`;
}

function figures(choice) {
  const isUnknown = [choice.answers, choice.calls_tools, choice.takes_images, choice.first_token_s].every((fact) => fact == null);
  if (isUnknown && !choice.asked) {
    return html`<p class="dim">Nothing is known of it yet. It reads ${count(choice.answering.context_tokens)} tokens.</p>`;
  }
  const yes = (value) => (value == null ? html`<span class="dim">not known yet</span>` : value ? "yes" : html`<span class="bad">no</span>`);
  const rate = choice.asked ? `${percent(choice.succeeded / choice.asked)} of ${count(choice.asked)}` : "none";
  return html`<dl>
    <dt>Answers</dt><dd>${yes(choice.answers)}</dd>
    <dt>Calls tools</dt><dd>${yes(choice.calls_tools)}</dd>
    <dt>Sees images</dt><dd>${yes(choice.takes_images)}</dd>
    <dt>First token</dt><dd>${duration(choice.first_token_s)}</dd>
    <dt>Your requests answered</dt><dd>${rate}</dd>
    <dt>Reads</dt><dd>${count(choice.answering.context_tokens)} tokens</dd>
  </dl>`;
}

async function test(page, choice) {
  const { trials } = page.data.welcome;
  trials[choice.id] = { isRunning: true };
  page.update();
  trials[choice.id] = (await page.act({ do: "test_model", model_id: choice.answering.id })) ?? null;
  page.update();
  await loadChoices(page);
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
