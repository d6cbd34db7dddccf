// What can be done with the program itself: restart, quit, start at login, and what helps somebody who helps.

import { copyButton } from "../copy.js";
import { countOf } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

const QUIT = "quit-program";
const DIAGNOSTICS = "diagnostics";

export function program(page) {
  const { app, facts } = page.state;
  return html`<section aria-labelledby="program-title">
    <h2 id="program-title">This program</h2>
    <div class="card program">
      <div class="row spread">
        <p role="status">${condition(page)}</p>
        <div class="row">
          <button @click=${() => page.act({ do: "pause", is_on: !page.state.is_paused })}>${page.state.is_paused ? "Resume" : "Pause"}</button>
          <button @click=${() => restart(page)}>Restart</button>
          <button class="danger" @click=${() => askToQuit(page)}>Quit…</button>
        </div>
      </div>
      ${page.state.is_paused ? html`<p class="dim">Requests that run go on. New ones are refused with a sentence that says why.</p>` : nothing}
      <label class="check"><input type="checkbox" .checked=${facts.starts_at_login} @change=${(event) => startAtLogin(page, event.target)}>
        Start this program when I log in</label>
      <div class="row">
        <button @click=${() => page.act({ do: "open_settings_folder" })}>Open the folder of the settings</button>
        <button @click=${() => page.act({ do: "open_log_folder" })}>Open the folder of the log</button>
        <button @click=${() => collect(page)}>Copy diagnostics…</button>
      </div>
      <p class="dim">The settings are in <span class="path">${facts.settings_file}</span>. An editor may change them, too; they are read again at once.</p>
      <details>
        <summary>${app.name} ${app.version}, and its licences</summary>
        <p class="dim">${app.name} is under the MIT licence. This page uses lit-html (BSD 3-Clause). The program uses aiohttp (Apache 2.0), msgspec and pypdf (BSD), Pillow (MIT-CMU), pystray (LGPL 3), and filelock, imagesize, jeepney, json-repair, keyring, platformdirs and others (MIT). Their texts come with each of them.</p>
      </details>
    </div>
    ${quitDialog(page)}
    ${diagnosticsDialog(page)}
  </section>`;
}

function condition(page) {
  const { app } = page.state;
  if (page.connection !== "live") return html`<strong class="warn">It does not answer</strong>`;
  if (page.state.is_paused) return html`<strong class="warn">Paused</strong> at ${app.url}`;
  return html`<span class="live"></span><strong>Running</strong> at ${app.url}`;
}

const open = (id) => document.getElementById(id).showModal();

async function restart(page) {
  const answer = await page.act({ do: "restart" });
  if (answer?.moves_to) location.assign(answer.moves_to);
  else if (answer) {
    page.data.isRestarting = true;
    page.say("The program starts anew, once its running answers have ended. This page waits for it.");
  }
}

/** Tells the user that the program is back, if it was started anew from here. */
export function greetAgain(page) {
  if (page.data.isRestarting) page.say("The program runs again.");
  page.data.isRestarting = false;
}

async function startAtLogin(page, box) {
  const wanted = box.checked;
  const answer = await page.act({ do: "start_at_login", is_on: wanted });
  if (answer) page.say(wanted ? "It starts when you log in." : "It does not start when you log in.");
  else box.checked = !wanted;
}

// ---- Quit

function quitDialog(page) {
  const running = page.data.settings.all.running;
  return html`<dialog id=${QUIT} class="card" aria-labelledby="quit-title">
    <h2 id="quit-title">Quit ${page.state.app.name}?</h2>
    <p>${running ? html`<strong>${countOf(running, "request is", "requests are")} running.</strong> They get 5 seconds to end.` : "No request is running."}</p>
    <p>Sessions of Claude Code that use this program get no more answers until it is started again${page.state.facts.covers_all_sessions ? ", and all of your sessions are set up to use it" : ""}.</p>
    <form method="dialog" class="row"><button autofocus>Keep it running</button><button class="danger" @click=${() => quit(page)}>Quit</button></form>
  </dialog>`;
}

/** Asks the user, with what is running now. */
async function askToQuit(page) {
  const all = await page.read("/page/settings");
  if (!all) return;
  page.data.settings.all = all;
  page.update();
  open(QUIT);
}

async function quit(page) {
  if (await page.act({ do: "quit" })) page.say("The program has been quit. You can close this page.");
}

// ---- Diagnostics

function diagnosticsDialog(page) {
  const text = page.data.diagnostics ?? "";
  return html`<dialog id=${DIAGNOSTICS} class="card diagnostics" aria-labelledby="diagnostics-title">
    <h2 id="diagnostics-title">Diagnostics</h2>
    <p>This is all that is copied. No key is in it.${page.state.log_bodies ? html` <strong class="warn">Request bodies are logged, so parts of your prompts are.</strong>` : nothing}</p>
    <pre id="diagnostics-text" tabindex="0" role="region" aria-label="The text of the diagnostics">${text}</pre>
    <div class="row">
      ${copyButton(page, "diagnostics-text", text)}
      <button @click=${() => saveFile(text)}>Save as file</button>
      <form method="dialog"><button>Close</button></form>
    </div>
  </dialog>`;
}

async function collect(page) {
  const answer = await page.act({ do: "collect_diagnostics" });
  if (!answer) return;
  page.data.diagnostics = answer.text;
  page.update();
  open(DIAGNOSTICS);
}

function saveFile(text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "claude-nvidia-tray-diagnostics.txt";
  link.click();
  URL.revokeObjectURL(link.href);
}
