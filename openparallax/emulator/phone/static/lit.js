// The vendored library's parts that this page uses, and what every template needs.

import { html, nothing, render } from "./vendor/lit-html.js";
import { guard } from "./vendor/directives/guard.js";
import { live } from "./vendor/directives/live.js";
import { repeat } from "./vendor/directives/repeat.js";

export { guard, html, live, nothing, render, repeat };

/** A symbol of icons.svg; without words, since what it stands on has a label. */
export const icon = (name) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <use href="/phone/static/icons.svg#${name}"></use>
  </svg>
`;

/** Initials in one of six colours, always the same for the same person. */
export function avatar(name, key) {
  const letters = name.split(/\s+/u).filter(Boolean).slice(0, 2).map((word) => [...word][0]);
  const colour = [...key].reduce((sum, letter) => (sum * 17 + letter.codePointAt(0)) % 997, 3) % 6;
  return html`<span class="avatar colour-${colour}" aria-hidden="true">${letters.join("").toUpperCase()}</span>`;
}

/** Only what may stand in a link: words of strangers may name any scheme. */
export const safeUrl = (url) => (/^https?:\/\//iu.test(String(url)) ? String(url) : nothing);
