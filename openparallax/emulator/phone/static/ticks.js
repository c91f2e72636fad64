// What became of a message, as a small sign with its word.

import { html, icon } from "./lit.js";

const SIGNS = {
  waiting: ["clock", "waiting for the bot"],
  accepted: ["clock", "accepted"],
  sent: ["tick", "sent"],
  delivered: ["ticks", "delivered"],
  read: ["ticks", "read"],
  played: ["ticks", "played"],
  failed: ["failed", "failed"],
};

export function ticks(message) {
  const [sign, word] = SIGNS[message.status] ?? ["clock", message.status];
  return html`
    <span class="ticks is-${message.status}" role="img" aria-label=${word} title=${word}>${icon(sign)}</span>
  `;
}
