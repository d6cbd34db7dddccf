// The second step of the welcome: the model, with what was found out about each.

import { count, countOf, duration, percent } from "../format.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** Reads the choices again. Calls that come meanwhile lead to one more reading. */
export async function loadChoices(page) {
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

/** Returns the step as `showStep` of the welcome takes it. */
export function modelStep(page) {
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
  const isRetired = absence.kind === "retired";
  const why = isRetired ? `NVIDIA retired ${label}${absence.date ? ` on ${absence.date}` : ""}.` : `${label} is ${absence.kind}.`;
  return answering.id === id ? why : `${why} ${answering.label} answers in its place.`;
}

function figures(choice) {
  const isUnknown = [choice.answers, choice.calls_tools, choice.takes_images, choice.first_token_s].every((fact) => fact == null);
  if (isUnknown && !choice.asked) {
    return html`<p class="dim">Nothing is known of it yet. It reads ${count(choice.answering.context_tokens)} tokens.</p>`;
  }
  const yes = (value) => (value == null ? html`<span class="dim">not known</span>` : value ? "yes" : html`<span class="bad">no</span>`);
  const rate = choice.asked ? `${percent(choice.succeeded / choice.asked)} of ${countOf(choice.asked, "request")}` : "none";
  return html`<dl>
    <dt>Answers</dt><dd>${yes(choice.answers)}</dd>
    <dt>Calls tools</dt><dd>${yes(choice.calls_tools)}</dd>
    <dt>Sees images</dt><dd>${yes(choice.takes_images)}</dd>
    <dt>First token</dt><dd>${duration(choice.first_token_s)}</dd>
    <dt>Success</dt><dd>${rate}</dd>
    <dt>Context</dt><dd>${count(choice.answering.context_tokens)} tokens</dd>
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
