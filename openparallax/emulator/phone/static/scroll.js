// The chat stays at its end while somebody is there, and where it is while they read above.

import { currentKey, store } from "./store.js";

const NEAR_PX = 80;
let drawn = ""; // chat that was drawn last
let ownCount = 0;

/** Call before drawing; what it returns, after. */
export function keepScroll() {
  const before = document.querySelector("#messages");
  const wasAtEnd = !before || before.scrollHeight - before.scrollTop - before.clientHeight < NEAR_PX;
  return () => {
    const list = document.querySelector("#messages");
    if (!list) return;
    const key = currentKey();
    const messages = store.data.chats.get(key)?.messages ?? [];
    const own = messages.filter((message) => !message.is_ours).length;
    const isNewChat = key !== drawn;
    const hasWritten = !isNewChat && own > ownCount;
    [drawn, ownCount] = [key, own];
    if (wasAtEnd || isNewChat || hasWritten) list.scrollTop = list.scrollHeight;
  };
}

export function toEnd() {
  const list = document.querySelector("#messages");
  if (list) list.scrollTop = list.scrollHeight;
}
