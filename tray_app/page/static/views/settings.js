import { html } from "../vendor/lit-html/lit-html.js";

export const settings = {
  name: "settings",
  title: "Settings",
  render(page) {
    return html`<h1 tabindex="-1">Settings</h1>`;
  },
};
