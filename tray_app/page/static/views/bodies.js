// The bodies of one request: what was sent, what came back, and what differs from the request before.

import { read } from "../api.js";
import { count, countOf } from "../format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** Begins to read the bodies of a request. They come with a later drawing. */
export function loadBodies(page, number) {
  const { bodies } = page.data.now;
  bodies[number] = { hint: "Reading the bodies…" };
  read(`/page/bodies?number=${number}`)
    .then((kept) => ({ ...kept, request: indent(kept.request) }), (error) => ({ hint: error.message }))
    .then((found) => {
      bodies[number] = found;
      page.update();
    });
  return bodies[number];
}

export function bodiesOf({ hint, request, answer, difference, cache_miss }) {
  if (hint) return html`<p class="dim">${hint}</p>`;
  return html`<div class="bodies">
    ${cache_miss ? html`<p class="notice"><strong>Why the prompt cache missed.</strong> ${cache_miss}</p>` : nothing}
    ${difference ? html`<details><summary>What differs from request ${difference.number}</summary>${differenceOf(difference)}</details>` : nothing}
    <details><summary>Request, as NVIDIA got it</summary>${text(request, "Request")}</details>
    <details open><summary>Answer</summary>${answer ? text(answer, "Answer") : html`<p class="dim">Nothing came.</p>`}</details>
  </div>`;
}

const text = (content, name) => html`<pre tabindex="0" role="region" aria-label=${name}>${content}</pre>`;

function differenceOf({ same_messages, messages, messages_before, parts, before, after }) {
  const added = messages - same_messages;
  const more = added ? ` ${countOf(added, "message follows", "messages follow")} them.` : "";
  const [head, old, now, tail] = split(before, after);
  return html`
    <p>The first ${count(same_messages)} of ${countOf(messages, "message")} are the same; the request before had ${count(messages_before)}.${more}
      ${parts.length ? `Not the same: ${parts.join(", ")}.` : "Nothing else has changed."}</p>
    ${before || after ? html`<div class="versions">
      <div><h3>Before</h3>${text(html`${head}<del>${old}</del>${tail}`, "Before")}</div>
      <div><h3>Now</h3>${text(html`${head}<ins>${now}</ins>${tail}`, "Now")}</div></div>` : nothing}`;
}

/** Returns what two texts begin with in common, the rest of each, and what both end with. */
function split(before, after) {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const until = (text) => text.slice(start, text.length - end);
  return [before.slice(0, start), until(before), until(after), before.slice(before.length - end)];
}

/** Writes whole JSON in lines. A text whose middle was left out stays as it is. */
function indent(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
