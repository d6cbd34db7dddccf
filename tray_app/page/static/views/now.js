import { html } from "../vendor/lit-html/lit-html.js";

export const now = {
  name: "now",
  title: "Now",
  render(page) {
    return html`<h1 tabindex="-1">Now</h1>`;
  },
};
