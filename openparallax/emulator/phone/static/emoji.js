// A small set of emoji, to write or to react with.

import { closeMenu, react, setDraft } from "./actions.js";
import { html } from "./lit.js";
import { menuKeys } from "./menu-keys.js";
import { currentKey, store } from "./store.js";

const SETS = {
  Smileys: "😀 😃 😄 😁 😅 😂 🙂 🙃 😉 😊 😍 😘 😋 😎 🤓 🤔 🤨 😐 🙄 😏 😴 😷 🥳 🤯 😬 😢 😭 😤 😡 🥺 😱 🤗",
  "Hands and hearts": "👍 👎 👌 ✌️ 🤞 👋 🙌 👏 🙏 💪 ☝️ 👀 ❤️ 🧡 💛 💚 💙 💜 🖤 💔",
  Things: "🎉 🎂 🎁 🔥 ✨ ⭐ ☀️ 🌙 🌈 ☔ 🌊 🌸 🌲 🐶 🐱 🦊 🐢 🍕 🍞 ☕ 🍎 🚲 🚗 ✈️ 🏠 📞 📎 📅 🔒 💡 ✅ ❌ ❓ ❗",
};
const NAMES = Object.entries(SETS).map(([name, emoji]) => [name, emoji.split(" ")]);

/** With a wamid it reacts to that message, else it writes at the end of the draft's selection. */
export function emojiMenu(wamid, chat) {
  const message = wamid && chat.messages.find((one) => one.wamid === wamid);
  return html`
    <div class="menu emoji-menu" role="dialog" aria-label=${message ? "React with" : "Emoji"} @keydown=${menuKeys}>
      ${NAMES.map(
        ([name, emoji]) => html`
          <p>${name}</p>
          <div class="grid">
            ${emoji.map((one) => html`
              <button type="button" @click=${() => (message ? react(message, one) : write(one))}>${one}</button>
            `)}
          </div>
        `,
      )}
    </div>
  `;
}

function write(emoji) {
  const field = document.querySelector("#draft");
  const draft = store.ui.drafts.get(currentKey()) ?? "";
  const [from, to] = [field.selectionStart, field.selectionEnd];
  setDraft(draft.slice(0, from) + emoji + draft.slice(to));
  closeMenu(false);
  requestAnimationFrame(() => {
    field.focus();
    field.setSelectionRange(from + emoji.length, from + emoji.length);
  });
}
