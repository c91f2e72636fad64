// New messages told to screen readers: each once, when it first appears.

import { summary } from "./kinds.js";

const MOST = 20;
const known = new Set();
const region = document.querySelector("#heard");

/** What a snapshot brought is not news. */
export function know(data) {
  for (const chat of data.chats.values()) {
    for (const message of chat.messages) known.add(message.wamid);
  }
}

export function announce(data, message) {
  if (!message.is_ours || message.is_deleted || known.has(message.wamid)) return;
  known.add(message.wamid);
  const line = document.createElement("p");
  const name = data.people.get(message.person)?.name ?? message.person;
  line.textContent = `To ${name}: ${summary(message)}`;
  region.append(line);
  while (region.childElementCount > MOST) region.firstElementChild.remove();
}
