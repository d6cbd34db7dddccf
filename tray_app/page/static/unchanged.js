// A part of the page that is made anew only if one of the values has changed that it is made from.

import { Directive, directive } from "./vendor/lit-html/directive.js";
import { noChange } from "./vendor/lit-html/lit-html.js";

export const ifChanged = directive(class extends Directive {
  render(values, make) {
    if (this.values?.every((value, index) => value === values[index])) return noChange;
    this.values = values;
    return make();
  }
});
