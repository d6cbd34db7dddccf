import { html } from "../vendor/lit-html/lit-html.js";

export const history = {
  name: "history",
  title: "History",
  render(page) {
    return html`<h1 tabindex="-1">History</h1>`;
  },
};
