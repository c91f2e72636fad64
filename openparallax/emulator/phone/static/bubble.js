// One message: what it holds, who says it, what became of it, and what may be done with it.

import { explain, openMenu } from "./actions.js";
import { content, summary, taps } from "./kinds.js";
import { html, icon, nothing } from "./lit.js";
import { messageMenu } from "./message-menu.js";
import { emojiCount } from "./marks.js";
import { ticks } from "./ticks.js";
import { duration, fullTimeOf, isoOf, timeOf } from "./times.js";

export function bubble(data, ui, chat, message, { isFirst, isLast }) {
  const side = message.is_ours ? "theirs" : "own";
  const emoji = message.kind === "text" && !message.is_deleted && !message.quoted
    ? emojiCount(message.content.body ?? "") : 0;
  const names = [
    "row", side, isFirst && "first", message.status === "failed" && "failed",
    message.echo && "echo", emoji && `emoji emoji-${emoji}`, `kind-${message.kind}`,
  ].filter(Boolean).join(" ");
  const isMenuOpen = ui.menu?.name === "message" && ui.menu.wamid === message.wamid;
  return html`
    <li class=${names} data-wamid=${message.wamid} tabindex=${isLast ? 0 : -1}
      aria-label=${label(data, message)} @keydown=${(event) => onKey(event, message)}
      @contextmenu=${(event) => onContextMenu(event, message)}>
      <div class="bubble">
        ${message.echo ? html`<p class="from">${icon("business")} from the business’s own phone</p>` : nothing}
        ${message.quoted ? quotation(data, chat, message.quoted) : nothing}
        ${message.is_deleted
          ? html`<p class="deleted">${icon("bin")} This message was taken back</p>`
          : content(data, chat, message)}
        <p class="meta">
          <time datetime=${isoOf(message.at)} title=${fullTimeOf(message.at)}>${timeOf(message.at)}</time>
          ${message.status === "failed" ? failedSign(ui, message) : ticks(message)}
        </p>
        ${taps(data, message)} ${reactions(message)}
        <button class="open-menu" type="button" tabindex=${isLast ? 0 : -1} aria-haspopup="menu"
          aria-label="Reply, react and more" aria-expanded=${isMenuOpen}
          @click=${() => openMenu("message", { wamid: message.wamid })}>${icon("more")}</button>
      </div>
      ${isMenuOpen ? messageMenu(message) : nothing}
      ${ui.explained.has(message.wamid) || (message.status === "failed" && isLast) ? reason(message) : nothing}
      ${message.is_ours && message.answered_after_s !== null
        ? html`<p class="answered">answered in ${duration(message.answered_after_s)}</p>` : nothing}
    </li>
  `;
}

function label(data, message) {
  const who = message.is_ours ? "The business" : data.people.get(message.person)?.name;
  return `${who}, ${timeOf(message.at)}: ${summary(message)}`;
}

function onKey(event, message) {
  if (event.target !== event.currentTarget || !["Enter", " ", "ContextMenu"].includes(event.key)) return;
  event.preventDefault();
  openMenu("message", { wamid: message.wamid });
}

/** A right click or a long press opens the menu, but where words are selected or a link is meant. */
function onContextMenu(event, message) {
  if (String(getSelection()) || event.target.closest("a, video")) return;
  event.preventDefault();
  openMenu("message", { wamid: message.wamid });
}

export function quotation(data, chat, wamid) {
  const quoted = chat.messages.find((message) => message.wamid === wamid);
  const who = quoted?.is_ours ? "Business" : data.people.get(chat.person)?.name;
  return html`
    <blockquote class="quotation ${quoted?.is_ours ? "of-theirs" : "of-own"}">
      <b dir="auto">${quoted ? who : "Earlier"}</b>
      <span dir="auto">${quoted ? summary(quoted) : "A message that is not here any more"}</span>
    </blockquote>
  `;
}

function failedSign(ui, message) {
  return html`
    <button class="why" type="button" aria-expanded=${ui.explained.has(message.wamid)}
      @click=${() => explain(message.wamid)}>${ticks(message)} why?</button>
  `;
}

function reason(message) {
  const errors = message.errors.length ? message.errors : [{ title: "No reason was given" }];
  return html`
    <div class="reason" role="note">
      ${errors.map(
        (error) => html`
          <p><b>${error.code ?? ""} ${error.title ?? error.message}</b><br>${error.error_data?.details ?? ""}</p>
        `,
      )}
    </div>
  `;
}

function reactions(message) {
  const all = Object.entries(message.reactions).filter(([, emoji]) => emoji);
  if (!all.length) return nothing;
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${all.map(([whose, emoji]) => html`<li title=${whose === "person" ? "you" : "the business"}>${emoji}</li>`)}
    </ul>
  `;
}
