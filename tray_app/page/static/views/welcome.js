import { html } from "../vendor/lit-html/lit-html.js";

export const welcome = {
  name: "welcome",
  title: "Welcome",
  render(page) {
    return html`<h1 tabindex="-1">Welcome</h1>`;
  },
};
