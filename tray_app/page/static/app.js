// The page: what it knows, which view is open, and the frame around the views.

import { act, enter, listen, read, Refused } from "./api.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { connect } from "./views/connect.js";
import { history } from "./views/history.js";
import { logs } from "./views/logs.js";
import { models } from "./views/models.js";
import { now } from "./views/now.js";
import { settings } from "./views/settings.js";
import { welcome } from "./views/welcome.js";

const VIEWS = [now, history, models, connect, settings, logs];
const MOST_ENDED = 200;

/**
 * Everything that the page knows. A view is `{name, title, render(page)}`; `open(page)` is called each time it is
 * shown, and `close(page)` when another one is. Views keep what they read in `page.data[name]`, and call `update`.
 */
const page = {
  state: null, // what every view shows: see views/state.py
  now: null, // running requests and paces: see views/now.py; null: not told yet
  ended: [], // finished requests, the newest first
  connection: "connecting", // "live", "lost" or "locked"
  data: {},
  message: null, // {text, isBad}: what the last action led to
  view: now,
  hasLeftWelcome: false, // in this tab; the page then shows what happens, also without a key
  /** Draws the page anew, once before the next frame however often it is called. */
  update() {
    if (!frame) frame = requestAnimationFrame(draw);
  },
  /** Opens a view. */
  show(name) {
    location.hash = `#/${name}`;
    route();
  },
  /** Draws the page anew, and then puts the focus on the first element of a selector. */
  focus(selector) {
    page.update();
    requestAnimationFrame(() => document.querySelector(selector)?.focus());
  },
  /** Shows a sentence until the next one. */
  say(text, isBad = false) {
    page.message = text ? { text, isBad } : null;
    page.update();
  },
  /** Has the program do something. Returns the result; undefined if it was refused, which the user is told. */
  act: (action) => page.attempt(() => act(action)),
  /** Reads something. Returns undefined if that was refused, which the user is told. */
  read: (path) => page.attempt(() => read(path)),
  async attempt(work) {
    try {
      const result = await work();
      if (page.message?.isBad) page.say("");
      return result;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) page.connection = "locked";
      page.say(error.message, true);
      return undefined;
    }
  },
};

let frame = 0;

function draw() {
  frame = 0;
  const isHeadingFocused = document.activeElement?.matches("main h1");
  render(page.connection === "locked" ? lockedPage() : wholePage(), document.getElementById("page"));
  if (isHeadingFocused && document.activeElement === document.body) focusHeading(); // the view has another one now
}

function lockedPage() {
  document.title = "Claude NVIDIA Tray";
  return html`<main class="lonely">
    <h1>Open this page from the tray</h1>
    <p>This page shows what you do with Claude Code, so it opens only for the person at this machine.</p>
    <p>Choose <strong>Open Page</strong> in the menu of the tray icon, or run this in a terminal:</p>
    <p><code>claude-nvidia-tray page</code></p>
  </main>`;
}

function wholePage() {
  if (!page.state) return html`<main class="lonely"><p role="status">Connecting to the program…</p></main>`;
  const { view, state } = page;
  document.title = `${view.title} · ${state.app.name}`;
  document.documentElement.dataset.view = view.name; // for the style; ":has" there would cost 8 ms at each change
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="bar">
      <span class="brand"><img src="/page/static/icon.svg" alt="" width="24" height="24">${state.app.name}</span>
      <nav aria-label="Views">
        ${VIEWS.map((one) => html`<a href="#/${one.name}" aria-current=${one === view ? "page" : nothing}>${one.title}</a>`)}
      </nav>
      ${modelSwitch(state.model)}
    </header>
    <main id="main">
      ${banner()}
      ${view.render(page)}
    </main>
    <div class="message" role="status">${page.message ? html`<p class=${page.message.isBad ? "bad" : ""}>${page.message.text}
      <button class="quiet" @click=${() => page.say("")}>Close</button></p>` : nothing}</div>`;
}

/** The same choice as in the menu of the tray. */
function modelSwitch(model) {
  return html`<fieldset class="switch">
    <legend class="unseen">Model</legend>
    ${model.choices.map((choice) => html`<label title=${choice.says}><input type="radio" name="model" .checked=${choice.id === model.id}
      @change=${() => page.act({ do: "choose_model", model_id: choice.id })}><span>${choice.label}</span></label>`)}
  </fieldset>`;
}

function banner() {
  if (page.connection === "lost") return html`<p class="notice warn" role="alert">The program does not answer. This page waits for it.</p>`;
  const { notice, stand_in, app } = page.state;
  const isAboutKey = notice?.verb === "set-key";
  if (isAboutKey && page.view === welcome) return nothing; // its first step says it
  if (notice) return html`<p class="notice warn"><strong>${notice.title.replace(/( – [^–]*)?…$/, "")}.</strong> ${notice.sentence} ${isAboutKey ? html`<a href="#/welcome">Enter a key here</a>` : nothing}</p>`;
  if (stand_in && page.view === now) return html`<p class="notice"><strong>${stand_in.title}.</strong> ${stand_in.sentence} <a href="#/models">See what answers</a></p>`;
  if (app.is_demo) return html`<p class="notice"><strong>This is the demo.</strong> Its answers are canned, and no model gives them.</p>`;
  return nothing;
}

function skip(event) {
  event.preventDefault();
  focusHeading();
}

function focusHeading(options) {
  document.querySelector("main h1")?.focus(options);
}

/** Shows the view that the address names. */
function route() {
  const name = location.hash.replace(/^#\//, "");
  const asked = [...VIEWS, welcome].find((view) => view.name === name) ?? now;
  const next = asked === now && page.state?.needs_user && !page.hasLeftWelcome ? welcome : asked;
  if (next !== page.view || !page.isRouted) {
    page.view.close?.(page);
    page.view = next;
    page.isRouted = true;
    page.message = null;
    next.open?.(page);
    page.update();
    requestAnimationFrame(() => requestAnimationFrame(() => focusHeading({ preventScroll: true })));
  }
}

/** Takes over the state. The first one decides whether the page begins with the welcome. */
function takeState(state) {
  const isFirst = !page.state;
  page.state = state;
  if (isFirst) route();
}

function tell(name, data) {
  if (name === "connection") page.connection = data;
  else if (name === "state") takeState(data);
  else if (name === "now") page.now = data;
  else if (name === "ended") page.ended = [data, ...page.ended].slice(0, MOST_ENDED);
  else if (name === "begun") page.ended = []; // another run of the gateway, which tells everything anew
  page.view.hear?.(page, name, data);
  page.update();
}

async function begin() {
  page.update();
  const isIn = await page.attempt(enter);
  if (!isIn) {
    page.connection = "locked";
    page.update();
    return;
  }
  addEventListener("hashchange", route);
  route();
  await listen(tell);
}

begin();
