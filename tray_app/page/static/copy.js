// A button that copies a text. It says "Copied" only if the browser has really copied it.

import { html } from "./vendor/lit-html/lit-html.js";

const SHOWN_MS = 4000;

/**
 * `id` is that of the element that shows the text, so that the user can copy it by hand if the browser refuses. `what`
 * names the text for those who do not see where the button stands.
 */
export function copyButton(page, id, text, what) {
  const said = page.data.copied?.id === id ? page.data.copied.text : "";
  return html`<button @click=${() => copy(page, id, text)}>${said || "Copy"}<span class="unseen"> ${what}</span></button>
    <span class="unseen" role="status">${said}</span>`;
}

async function copy(page, id, text) {
  const isCopied = (await writeText(text)) || copySelected(id);
  const said = { id, text: isCopied ? "Copied" : "Not copied: the text is selected, copy it yourself" };
  page.data.copied = said;
  page.update();
  setTimeout(() => {
    if (page.data.copied === said) {
      page.data.copied = null;
      page.update();
    }
  }, SHOWN_MS);
}

async function writeText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the browser has no clipboard for this page, or the user forbids it
  }
}

/** Selects the shown text, and copies the selection in the old way. Returns whether that worked. */
function copySelected(id) {
  const element = document.getElementById(id);
  if (!element) return false;
  for (let outer = element.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
  getSelection().selectAllChildren(element);
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  }
}
