// Times that are counted on by themselves: <time-since at="..."> and <time-left at="...">, with a Unix time in seconds.
// Each changes its own text, so that nothing else is drawn anew. One timer serves all, and none runs without them.

import { wholeDuration } from "./format.js";

const LOOK_MS = 500;
const shown = new Set();
let timer = 0;

function tick() {
  for (const element of shown) element.show();
}

class Ticking extends HTMLElement {
  static observedAttributes = ["at"];

  connectedCallback() {
    shown.add(this);
    timer ||= setInterval(tick, LOOK_MS);
    this.show();
  }

  disconnectedCallback() {
    shown.delete(this);
    if (shown.size === 0) timer = clearInterval(timer);
  }

  attributeChangedCallback() {
    this.show();
  }

  show() {
    const text = wholeDuration(this.count(Date.now() / 1000 - Number(this.getAttribute("at"))));
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("time-since", class extends Ticking {
  count = (passed) => Math.floor(Math.max(passed, 0));
});
customElements.define("time-left", class extends Ticking {
  count = (passed) => Math.ceil(Math.max(-passed, 0));
});
