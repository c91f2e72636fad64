// The chat of the person whose phone it is, with the business.

import { look, openList, openPanel } from "./actions.js";
import { bubble } from "./bubble.js";
import { composerView } from "./composer.js";
import { guard, html, icon, nothing, repeat } from "./lit.js";
import { lastWords } from "./panel-daemon.js";
import { addressOf, panelButton } from "./people.js";
import { chatKey, isOffTheRecord, isTyping, nowOf } from "./state.js";
import { isPanelModal } from "./store.js";
import { dayKey, dayOf } from "./times.js";

const NOBODY = { messages: [], typing_until: 0 };

export function chatView(data, ui) {
  const person = data.people.get(ui.person);
  if (!person) return html`<main class="chat" id="chat" aria-label="Chat"></main>`;
  const number = data.numbers.find((one) => one.id === ui.numberId);
  const chat = data.chats.get(chatKey(ui.numberId, ui.person)) ?? NOBODY;
  const isOff = isOffTheRecord(data, person.key);
  queueMicrotask(() => look(chat));
  return html`
    <main class="chat" id="chat" data-record=${isOff ? "off" : "on"} ?inert=${isPanelModal()}
      aria-label="${person.name}’s chat with ${number?.name ?? "the business"}">
      <header class="bar">
        <button class="round back" type="button" aria-label="All phones"
          @click=${openList}>${icon("back")}</button>
        <span class="avatar business" aria-hidden="true">${icon("business")}</span>
        <div class="title">
          <h2 dir="auto">${number?.name ?? "Business"}</h2>
          <p>
            ${isTyping(data, chat)
              ? html`<span class="typing-word" role="status">typing …</span>`
              : html`on <b dir="auto">${person.name}</b>’s phone<span class="address"> · ${addressOf(person)}</span>`}
          </p>
        </div>
        ${panelButton(ui)}
      </header>
      ${daemonNotice(data)} ${isOff ? offTheRecord() : nothing}
      <div class="wall">
        <span class="hills" aria-hidden="true"><i></i></span>
        <ol class="messages" id="messages" tabindex="-1" @keydown=${walk}>
          ${chat.messages.length ? nothing : empty(number)}
          ${repeat(
            chat.messages,
            (message) => message.wamid,
            (message, index) => entry(data, ui, chat, message, chat.messages[index - 1]),
          )}
          ${isTyping(data, chat) ? typing(number) : nothing}
        </ol>
      </div>
      ${composerView(data, ui, chat)}
    </main>
  `;
}

/** Drawn anew only when something of it is new: a chat has hundreds, and every key is a change. */
function entry(data, ui, chat, message, before) {
  const isMenuOpen = ui.menu?.name === "message" && ui.menu.wamid === message.wamid;
  const seen = [
    message, before, message === chat.messages.at(-1), isMenuOpen, ui.explained.has(message.wamid),
    message.quoted && chat.messages.find((one) => one.wamid === message.quoted),
    data.people.get(message.person), data.templates, dayKey(nowOf(data)),
    message.kind === "audio" && performance.now(), // a player moves
  ];
  return guard(seen, () => drawn(data, ui, chat, message, before));
}

function drawn(data, ui, chat, message, before) {
  const isNewDay = !before || dayKey(before.at) !== dayKey(message.at);
  const isLast = message === chat.messages.at(-1);
  return html`
    ${isNewDay ? html`<li class="day"><span>${dayOf(message.at, nowOf(data))}</span></li>` : nothing}
    ${bubble(data, ui, chat, message, {
      isFirst: isNewDay || before.is_ours !== message.is_ours || before.echo !== message.echo,
      isLast,
    })}
  `;
}

function empty(number) {
  return html`
    <li class="empty">
      <img src="/phone/static/icon.svg" alt="" width="72" height="72">
      <p class="greeting">Say hello to ${number?.name ?? "the bot"}</p>
      <p>Type below as if this were your phone. Begin with <kbd>/</kbd> to see the commands.</p>
    </li>
  `;
}

function typing(number) {
  return html`
    <li class="row theirs typing">
      <span class="bubble"><span class="unseen">${number?.name} is typing</span><i></i><i></i><i></i></span>
    </li>
  `;
}

function offTheRecord() {
  return html`
    <p class="record" role="status">
      ${icon("unwritten")}
      <span><b>Off the record.</b> The daemon writes down no word of this conversation.
      <kbd>/otr off</kbd> goes back, <kbd>/new</kbd> begins afresh.</span>
    </p>
  `;
}

const STATES = {
  starting: "The daemon is starting …",
  stopping: "The daemon is stopping …",
  down: "The daemon is down. What you write waits for it.",
};

function daemonNotice({ daemon }) {
  const words = daemon && (STATES[daemon.state] ?? lastWords(daemon).said);
  if (!words) return nothing;
  return html`
    <p class="daemon-notice is-${daemon.state}" role="status">
      <span>${words}</span>
      ${["down", "ended"].includes(daemon.state)
        ? html`<button class="plain" type="button" @click=${() => openPanel("daemon")}>To the daemon</button>`
        : nothing}
    </p>
  `;
}

/** Up and down go from bubble to bubble, Home and End to the ends; only one is a tab stop. */
function walk(event) {
  const steps = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
  const step = steps[event.key];
  const row = event.target.closest(".row");
  if (!step || event.target !== row) return;
  const rows = [...event.currentTarget.querySelectorAll(".row[tabindex]")];
  const at = Math.min(Math.max(rows.indexOf(row) + step, 0), rows.length - 1);
  event.preventDefault();
  rows[at].focus();
}

