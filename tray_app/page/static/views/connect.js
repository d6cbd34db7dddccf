// The ways from Claude Code to this program: a terminal, all sessions, exports for a shell, an editor; and the doctor.

import { allSessions } from "../all_sessions.js";
import { copyButton } from "../copy.js";
import { countOf } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

export const connect = {
  name: "connect",
  title: "Connect",
  open(page) {
    page.data.connect ??= { shell: "", isExamining: false, found: null };
    load(page);
  },
  hear(page, name) {
    if (name === "state" && basisOf(page) !== page.data.connect.basis) load(page);
  },
  render(page) {
    const texts = page.data.connections;
    return html`<div><h1 tabindex="-1">Connect</h1>
        <p class="dim">Ways to start Claude Code through this program, and what stands in their way.</p></div>
      ${texts ? html`
        <div class="ways">${terminalCard(page, texts)}${allSessionsCard(page)}</div>
        ${shellSection(page, texts)}
        ${otherSection(page, texts)}` : html`<p role="status">Reading…</p>`}
      ${doctorSection(page)}`;
  },
};

/** What the texts are made from. */
const basisOf = ({ state }) => state && `${state.app.url} ${state.model.id}`;

async function load(page) {
  page.data.connect.basis = basisOf(page);
  page.data.connections = (await page.read("/page/connections")) ?? page.data.connections;
  page.update();
}

function terminalCard(page, texts) {
  const folders = page.state.facts.recent_folders;
  return html`<section class="card" aria-labelledby="connect-terminal"><h2 id="connect-terminal">One session</h2>
    <p>The simplest way: nothing of yours is changed, and nothing in your settings leads it elsewhere.</p>
    <div class="row"><code id="connect-line">${texts.launcher}</code>${copyButton(page, "connect-line", texts.launcher, "the line that starts Claude Code")}</div>
    <div class="row">${(folders.length ? folders : [""]).map((folder) => html`<button @click=${() => page.act({ do: "open_claude_code", folder })}>Open in ${folder || "your home folder"}</button>`)}</div>
  </section>`;
}

function allSessionsCard(page) {
  return html`<section class="card" aria-labelledby="connect-all"><h2 id="connect-all">All sessions</h2>
    <p>For every way in which Claude Code is started, the extensions of editors among them.</p>
    ${allSessions(page)}
  </section>`;
}

function shellSection(page, texts) {
  const data = page.data.connect;
  const shell = texts.shells.find(({ name }) => name === data.shell) ?? texts.shells.find((one) => one.is_yours) ?? texts.shells[0];
  const choose = (name) => () => {
    data.shell = name;
    page.update();
  };
  return html`<section aria-labelledby="connect-shell"><h2 id="connect-shell">One terminal</h2>
    <p class="dim">A line that sets up the terminal into which you paste it, until it is closed. Then start <code>claude</code> there.</p>
    <fieldset class="switch shells"><legend class="unseen">Shell</legend>
      ${texts.shells.map((one) => html`<label><input type="radio" name="shell" .checked=${one === shell} @change=${choose(one.name)}><span>${one.label}</span></label>`)}
    </fieldset>
    <div class="card">
      ${texts.needs_server_key ? html`<p class="warn">Set SERVER_API_KEY in that terminal to the server key first.</p>` : nothing}
      ${copied(page, "exports", `Set up ${shell.label}`, "the line that sets it up", shell.exports)}
      ${copied(page, "undo", "Undo it in the same terminal", "the line that undoes it", shell.undo)}
    </div></section>`;
}

function copied(page, id, title, what, text) {
  return html`<div class="spread row"><h3>${title}</h3>${copyButton(page, `connect-${id}`, text, what)}</div>
    <pre id="connect-${id}" class="text" tabindex="0" role="region" aria-label=${title}>${text}</pre>`;
}

function otherSection(page, texts) {
  return html`<section aria-labelledby="connect-other"><h2 id="connect-other">Files and editors</h2>
    <details class="card"><summary>A settings file for <code>claude --settings FILE</code></summary>
      <p class="dim">To undo it, start Claude Code without this file.</p>
      ${copied(page, "settings", "settings.json", "the settings file", texts.settings)}</details>
    <details class="card"><summary>Visual Studio Code <span class="dim">(not tried with this program yet)</span></summary>
      <p>The extension of Claude Code reads the same settings as Claude Code, so that <strong>All sessions</strong> above should be enough. If it
        still asks you to log in, put these lines into the settings of the editor (Preferences: Open User Settings (JSON)), and reload
        its window. To undo it, remove them.</p>
      ${copied(page, "vs-code", "Settings of Visual Studio Code", "the settings of the editor", texts.vs_code)}</details>
    <details class="card"><summary>Another program that speaks Anthropic's Messages API</summary>
      <dl><dt>Base URL</dt><dd><code>${texts.url}</code></dd>
        <dt>Key or token</dt><dd>${texts.token ? html`any text, such as <code>${texts.token}</code>` : "the server key"}</dd>
        <dt>Model</dt><dd>any name; the model that is chosen here answers</dd></dl></details>
  </section>`;
}

// ---- The doctor

const LEVELS = { ok: ["fine", "ok"], note: ["note", "warn"], fail: ["must be cured", "bad"] };

const REMEDIES = {
  new_key: ["Enter a key", (page) => page.show("welcome")],
  ask_keyring: ["Ask the keyring again", act({ do: "ask_keyring" })],
  choose_port: ["Choose another port", (page) => page.show("settings")],
  restart_gateway: ["Restart the gateway", (page) => page.act({ do: "restart" })],
  look_again: ["Look which models answer", act({ do: "look_again" })],
  open_claude_code: ["Open Claude Code in a terminal", act({ do: "open_claude_code" })],
  use_for_all_sessions: ["Use it for all sessions again", act({ do: "use_for_all_sessions", is_on: true })],
  examine_again: ["Examine again", examine],
};

function act(action) {
  return async (page) => {
    const done = await page.act(action);
    if (!done) return;
    await examine(page);
    if (done.sentence) page.say(done.sentence);
  };
}

async function examine(page) {
  const data = page.data.connect;
  if (data.isExamining) return;
  data.isExamining = true;
  page.update();
  data.found = (await page.act({ do: "examine" })) ?? data.found;
  data.isExamining = false;
  page.update();
}

function doctorSection(page) {
  const { found, isExamining } = page.data.connect;
  return html`<section aria-labelledby="doctor"><h2 id="doctor">Doctor</h2>
    <p class="dim">Looks at everything between Claude Code and NVIDIA. It takes some seconds, and changes nothing.</p>
    <div class="row"><button class="go" ?disabled=${isExamining} @click=${() => examine(page)}>${found ? "Examine again" : "Examine"}</button>
      <span role="status">${isExamining ? html`<span class="live"></span>Examining…` : found ? verdict(found) : nothing}</span></div>
    ${found ? html`<ul class="findings card">${sort(found.findings).map((finding) => findingRow(page, finding))}</ul>
      <div class="row"><button class="quiet flush" @click=${() => page.act({ do: "open_log_folder" })}>Open the folder of the log</button></div>` : nothing}
  </section>`;
}

function verdict({ findings }) {
  const failures = findings.filter(({ level }) => level === "fail").length;
  if (failures) return html`<span class="bad">${countOf(failures, "of these must be cured first.", "of these must be cured first.")}</span>`;
  return html`<span class="ok">Nothing stands in the way.</span>`;
}

/** The worst first; those of one level stay in their order. */
function sort(findings) {
  const order = Object.keys(LEVELS);
  return findings.toSorted((one, other) => order.indexOf(other.level) - order.indexOf(one.level));
}

function findingRow(page, { level, topic, sentence, fix, remedy }) {
  const [word, tone] = LEVELS[level];
  const [label, work] = REMEDIES[remedy] ?? [];
  return html`<li><span class="state ${tone}">${word}</span>
    <div><p><strong>${topic}.</strong> ${withCode(sentence)}</p>
      ${fix ? html`<p class="dim">${withCode(fix)}</p>` : nothing}
      ${label ? html`<button ?disabled=${page.data.connect.isExamining} @click=${() => work(page)}>${label}</button>` : nothing}</div></li>`;
}

/** Shows what stands between backticks as code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));
}
