// Where a message is written. Enter sends, Shift+Enter begins a new line; each chat keeps its draft.

import { closeMenu, openMenu, quote, send, setDraft } from "./actions.js";
import { attachMenu } from "./attach.js";
import { quotation } from "./bubble.js";
import { COMMANDS, commandsFor } from "./commands.js";
import { emojiMenu } from "./emoji.js";
import { html, icon, live, nothing } from "./lit.js";
import { currentKey, setUi } from "./store.js";

const MOST_TEXT = 65_536;

export function composerView(data, ui, chat) {
  const quoted = ui.quoting.get(currentKey());
  const { draft, hints, chosen } = suggested(ui);
  const open = ui.menu?.name;
  return html`
    <div class="composer">
      ${hints.length ? hintList(hints, chosen) : nothing}
      ${quoted
        ? html`<div class="answering">${quotation(data, chat, quoted)}
            <button class="round" type="button" aria-label="Do not quote" @click=${() => quote(null)}>${icon("close")}</button></div>`
        : nothing}
      <div class="line">
        ${menuButton("attach", "plus", "Send something else", open)}
        <div class="field">
          <textarea id="draft" rows="1" maxlength=${MOST_TEXT} placeholder="Message" aria-label="Message"
            autocomplete="off" enterkeyhint="send" dir="auto" role=${hints.length ? "combobox" : nothing}
            aria-expanded=${hints.length ? "true" : nothing}
            aria-controls=${hints.length ? "hints" : nothing}
            aria-activedescendant=${hints.length ? `hint-${chosen}` : nothing}
            .value=${live(draft)}
            @input=${(event) => { ui.hint = 0; setDraft(event.target.value); }}
            @keydown=${(event) => onKey(event, ui)}></textarea>
          ${menuButton("emoji", "smile", "Emoji", open)}
        </div>
        <button class="round send" type="button" aria-label="Send" ?disabled=${!draft.trim()}
          @click=${() => { void send(); document.querySelector("#draft").focus(); }}>${icon("send")}</button>
      </div>
      ${open === "emoji" ? emojiMenu(ui.menu.wamid, chat) : nothing}
      ${open === "attach" ? attachMenu(draft) : nothing}
    </div>
  `;
}

/** What is written so far, the commands that begin so, and which of them is chosen. */
function suggested(ui) {
  const draft = ui.drafts.get(currentKey()) ?? "";
  const hints = ui.hintsShut === draft ? [] : commandsFor(draft);
  return { draft, hints, chosen: Math.min(ui.hint ?? 0, hints.length - 1) };
}

function menuButton(name, sign, label, open) {
  return html`
    <button class="round quiet" type="button" aria-label=${label} title=${label} aria-haspopup="true"
      aria-expanded=${open === name}
      @click=${() => (open === name ? closeMenu() : openMenu(name))}>${icon(sign)}</button>
  `;
}

function hintList(hints, chosen) {
  return html`
    <ul class="hints" id="hints" role="listbox" aria-label="Commands">
      ${hints.map(
        ({ command, does }, index) => html`
          <li id="hint-${index}" role="option" aria-selected=${index === chosen}
            @pointerdown=${(event) => { event.preventDefault(); take(command); }}>
            <kbd>${command}</kbd> <span>${does}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

function take(command) {
  setUi({ hint: 0, hintsShut: command });
  setDraft(command);
  document.querySelector("#draft").focus();
}

function onKey(event, ui) {
  if (event.isComposing) return; // an input method has the key
  const { draft, hints, chosen } = suggested(ui); // as it is: keys may be quicker than the drawing
  if (hints.length && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    setUi({ hint: (chosen + step + hints.length) % hints.length });
  } else if (hints.length && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    take(hints[chosen].command);
  } else if (hints.length && event.key === "Escape") {
    event.stopPropagation();
    setUi({ hintsShut: draft });
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    const isBegun = hints.length && !COMMANDS.some(({ command }) => command === draft.trim());
    if (isBegun) take(hints[chosen].command);
    else void send();
  }
}

/** After drawing: the field is as high as its lines, up to what the stylesheet lets it. */
export function fitDraft() {
  const field = document.querySelector("#draft");
  if (!field || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
