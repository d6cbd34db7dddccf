// Use for all sessions of Claude Code: what would change is shown before anything is changed.

import { html, nothing } from "./vendor/lit-html/lit-html.js";

const WORDS = { "+": "added: ", "-": "removed: " };

export function allSessions(page) {
  const shown = page.data.allSessions;
  const isOn = page.state.facts.covers_all_sessions;
  if (shown && shown.isOn !== isOn) return preview(page, shown);
  if (isOn) {
    return html`<p><span class="state ok">All sessions of Claude Code use this program</span>, however you start them.
      <button class="quiet" @click=${() => look(page, false)}>Undo…</button></p>`;
  }
  return html`<p><button class="quiet flush" @click=${() => look(page, true)}>Use it for all Claude Code sessions…</button>
    <span class="dim">It shows what changes in your settings first, and can be undone.</span></p>`;
}

async function look(page, isOn) {
  const found = await page.act({ do: "preview_all_sessions", is_on: isOn });
  if (found) page.data.allSessions = { ...found, isOn };
  page.update();
}

async function change(page, isOn) {
  const done = await page.act({ do: "use_for_all_sessions", is_on: isOn });
  page.data.allSessions = null;
  if (done) page.say(done.sentence);
  page.update();
}

function cancel(page) {
  page.data.allSessions = null;
  page.update();
}

function preview(page, { file, is_new: isNew, is_removed: isRemoved, lines, isOn }) {
  const what = isNew ? "will be made" : isRemoved ? "will be removed" : "changes like this";
  return html`<div class="preview">
    ${file ? html`<p><code>${file}</code> ${what}. ${isOn ? "Your other settings stay, and so do your later edits." : "Your later edits stay."}</p>` : nothing}
    ${lines.length ? html`<div class="scroll diff" tabindex="0" role="region" aria-label="What changes in the file">
      <ol>${lines.map(({ sign, text }) => html`<li class=${{ "+": "added", "-": "removed" }[sign] ?? ""}><span aria-hidden="true">${sign}</span>${WORDS[sign] ? html`<span class="unseen">${WORDS[sign]}</span>` : nothing}<code>${text}</code></li>`)}</ol>
    </div>` : html`<p>Nothing changes in the file.</p>`}
    <div class="row">
      <button class="go" @click=${() => change(page, isOn)}>${isOn ? "Use it for all sessions" : "Undo it"}</button>
      <button @click=${() => cancel(page)}>Leave it as it is</button>
    </div>
  </div>`;
}
