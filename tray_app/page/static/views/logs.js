import { html } from "../vendor/lit-html/lit-html.js";

export const logs = {
  name: "logs",
  title: "Logs",
  render(page) {
    return html`<h1 tabindex="-1">Logs</h1>`;
  },
};
