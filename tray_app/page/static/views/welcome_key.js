// The first step of the welcome: the NVIDIA API key. It goes to the program once, and never comes back.

import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** Returns the step as `showStep` of the welcome takes it: title, isDone, state, tone and content. */
export function keyStep(page) {
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
  const tone = check && (check.is_saved ? (check.is_accepted ? "" : "warn") : "bad");
  return html`<div role="status">${check ? html`<div class="notice ${tone}"><p>${check.sentence} ${check.place}</p>
    ${check.notes.map((note) => html`<p>${note}</p>`)}</div>` : nothing}</div>`;
}

function keyButtons(page, hasField) {
  const data = page.data.welcome;
  const { key, facts } = page.state;
  const set = (changes, focused) => () => {
    Object.assign(data, changes);
    page.focus(focused);
  };
  if (data.asksRemoval) {
    return html`<div class="row"><span>Remove the key? NVIDIA's models do not answer without one.</span>
      <button class="danger" @click=${() => removeKey(page)}>Remove it</button><button id="keep-key" @click=${set({ asksRemoval: false }, "#step-0")}>Keep it</button></div>`;
  }
  const mayEnter = !hasField && (key.has || page.state.app.is_demo);
  const mayRemove = key.has && !facts.key_variable && !data.isChecking;
  if (!mayEnter && !mayRemove) return nothing;
  return html`<div class="row">
    ${mayEnter ? html`<button @click=${set({ hasField: true, check: null }, "#nim-line")}>${key.has ? "Enter another key" : "Enter a key"}</button>` : nothing}
    ${mayRemove ? html`<button class="quiet" @click=${set({ asksRemoval: true }, "#keep-key")}>Remove the key</button>` : nothing}
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
  }
  page.focus(check?.is_saved ? "#step-0" : "#nim-line");
}

async function removeKey(page) {
  const done = await page.act({ do: "remove_key" });
  Object.assign(page.data.welcome, { asksRemoval: false, check: null });
  if (done) page.say(done.sentence);
  page.focus("#step-0");
}
