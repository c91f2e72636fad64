// Whose phone it is: everybody in the cast, with the last thing that was said.

import { closePanel, openChat, openNumber, openPanel } from "./actions.js";
import { summary } from "./kinds.js";
import { avatar, html, icon, nothing, repeat } from "./lit.js";
import { chatKey, isOffTheRecord, isTyping, isUnread } from "./state.js";
import { isPanelModal } from "./store.js";
import { isoOf, timeOf } from "./times.js";
import { ticks } from "./ticks.js";

export function peopleView(data, ui) {
  const people = [...data.people.values()];
  return html`
    <nav class="people" aria-label="People" ?inert=${isPanelModal()}>
      <header class="bar">
        <h2 class="brand"><img src="/phone/static/icon.svg" alt="" width="30" height="30"> Phones</h2>
        <button class="round" type="button" aria-label="Add a person" title="Add a person"
          @click=${() => openPanel("people")}>${icon("plus")}</button>
        ${panelButton(ui)}
      </header>
      ${data.numbers.length > 1 ? numberChoice(data, ui) : nothing}
      <ul class="list">
        ${repeat(people, (person) => person.key, (person) => row(data, ui, person))}
      </ul>
      <p class="aside-note">These chats live in memory and are gone at the end. What the bot wrote down is not.</p>
    </nav>
  `;
}

/** Where the panel is a drawer: opens and closes it. */
export function panelButton(ui) {
  return html`
    <button class="round panel-button" type="button" aria-label="Behind the scenes"
      title="Behind the scenes" aria-controls="panel" aria-expanded=${ui.isPanelOpen}
      @click=${() => (ui.isPanelOpen ? closePanel() : openPanel())}>${icon("panel")}</button>
  `;
}

function numberChoice(data, ui) {
  return html`
    <label class="number-choice">
      They write with
      <select @change=${(event) => openNumber(event.target.value)}>
        ${data.numbers.map(
          (number) => html`
            <option value=${number.id} ?selected=${number.id === ui.numberId}>
              ${number.name} · +${number.display_phone_number}
            </option>
          `,
        )}
      </select>
    </label>
  `;
}

function row(data, ui, person) {
  const chat = data.chats.get(chatKey(ui.numberId, person.key));
  const last = chat?.messages.at(-1);
  const unread = chat?.messages.filter(isUnread).length ?? 0;
  const isHere = ui.person === person.key;
  return html`
    <li>
      <button class="person" type="button" aria-current=${isHere ? "true" : "false"}
        @click=${() => openChat(person.key)}>
        ${avatar(person.name, person.key)}
        <span class="who">
          <span class="name" dir="auto">${person.name}</span>
          ${isOffTheRecord(data, person.key)
            ? html`<span class="off-mark" title="Off the record">${icon("unwritten")}<span class="unseen">off the record</span></span>`
            : nothing}
          ${last ? html`<time datetime=${isoOf(last.at)}>${timeOf(last.at)}</time>` : nothing}
        </span>
        <span class="last">
          ${chat && isTyping(data, chat)
            ? html`<em class="typing-word">typing …</em>`
            : last
              ? html`${last.is_ours ? nothing : ticks(last)}<span class="words" dir="auto">${summary(last)}</span>`
              : html`<span class="words">${addressOf(person)}</span>`}
          ${unread ? html`<span class="unread">${unread}<span class="unseen"> unread</span></span>` : nothing}
        </span>
      </button>
    </li>
  `;
}

export const addressOf = (person) =>
  [person.wa_id && `+${person.wa_id}`, person.username && `@${person.username}`]
    .filter(Boolean)
    .join(" · ") || person.user_id;
