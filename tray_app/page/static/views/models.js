import { html } from "../vendor/lit-html/lit-html.js";

export const models = {
  name: "models",
  title: "Models",
  render(page) {
    return html`<h1 tabindex="-1">Models</h1>`;
  },
};
