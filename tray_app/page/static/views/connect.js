import { html } from "../vendor/lit-html/lit-html.js";

export const connect = {
  name: "connect",
  title: "Connect",
  render(page) {
    return html`<h1 tabindex="-1">Connect</h1>`;
  },
};
