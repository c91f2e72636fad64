// What may be done with a message: react, answer, copy, take back.

import { closeMenu, openMenu, quote, react, takeBack } from "./actions.js";
import { textOf } from "./kinds.js";
import { html, icon, nothing } from "./lit.js";
import { menuKeys } from "./menu-keys.js";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export function messageMenu(message) {
  const text = textOf(message);
  const isLost = message.is_deleted;
  return html`
    <div class="menu message-menu" role="menu" aria-label="This message" @keydown=${menuKeys}>
      ${isLost
        ? nothing
        : html`
            <div class="quick">
              ${QUICK.map(
                (emoji) => html`
                  <button role="menuitemcheckbox" type="button" tabindex="-1" aria-label="React with ${emoji}"
                    aria-checked=${message.reactions.person === emoji}
                    @click=${() => react(message, emoji)}>${emoji}</button>
                `,
              )}
            </div>
            <button role="menuitem" type="button" tabindex="-1" @click=${() => quote(message.wamid)}>
              ${icon("reply")} Reply</button>
            <button role="menuitem" type="button" tabindex="-1"
              @click=${() => openMenu("emoji", { wamid: message.wamid })}>${icon("smile")} Other reaction …</button>
          `}
      ${text
        ? html`<button role="menuitem" type="button" tabindex="-1" @click=${() => copy(text)}>
            ${icon("copy")} Copy text</button>`
        : nothing}
      <button role="menuitem" type="button" tabindex="-1" @click=${() => copy(message.wamid)}>
        ${icon("link")} Copy id</button>
      ${message.is_ours || isLost
        ? nothing
        : html`<button role="menuitem" type="button" tabindex="-1" class="danger"
            @click=${() => { closeMenu(); void takeBack(message.wamid); }}>
            ${icon("bin")} Take back for everybody</button>`}
    </div>
  `;
}

function copy(text) {
  closeMenu();
  void navigator.clipboard?.writeText(text).catch(() => {});
}
