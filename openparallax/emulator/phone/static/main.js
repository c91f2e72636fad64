// The page: state from the stream, drawn by templates.

import { closeMenu, closePanel } from "./actions.js";
import { dialogs } from "./attach.js";
import { chatView } from "./chat.js";
import { fitDraft } from "./composer.js";
import { listen } from "./events.js";
import { announce, know } from "./heard.js";
import { html, nothing, render } from "./lit.js";
import { focusMenu } from "./menu-keys.js";
import { panelView } from "./panel.js";
import { peopleView } from "./people.js";
import { keepScroll } from "./scroll.js";
import { apply, isTyping, isUnread } from "./state.js";
import { changed, onChange, setUi, store } from "./store.js";

const app = document.querySelector("#app");

onChange(({ data, ui }) => {
  const scroll = keepScroll();
  render(page(data, ui), app);
  fitDraft();
  scroll();
  focusMenu();
  begin();
  const unread = [...data.chats.values()].filter((chat) => chat.messages.some(isUnread)).length;
  document.title = `${unread ? `(${unread}) ` : ""}Phone · OpenParallax`;
});

function page(data, ui) {
  return html`
    <header class="unseen"><h1>Phone</h1></header>
    <div class="phone" data-view=${ui.view} data-panel=${ui.isPanelOpen ? "open" : "shut"}>
      ${peopleView(data, ui)} ${chatView(data, ui)} ${panelView(data, ui)}
    </div>
    ${dialogs()}
    ${ui.connection === "lost"
      ? html`<p class="notice lost" role="alert">Connection lost, trying again …</p>`
      : nothing}
    ${ui.error ? html`<p class="notice" role="alert">${ui.error}</p>` : nothing}
  `;
}

listen(
  (change) => {
    apply(store.data, change);
    if (change.kind === "snapshot") settle();
    if (change.kind === "message") announce(store.data, change.message);
    if (change.kind === "wire") store.ui.unfolded.delete(change.exchange.number);
    changed();
  },
  (connection) => setUi({ connection }),
);

/** The field has the focus from the start, but where a keyboard on the screen would jump up. */
let hasBegun = false;
function begin() {
  if (hasBegun || !store.ui.person) return;
  hasBegun = true;
  if (matchMedia("(hover: hover)").matches) document.querySelector("#draft")?.focus();
}

/** Stay with the person and number of before, else take those of the address, else the first. */
function settle() {
  const { data, ui } = store;
  const keys = [...data.people.keys()];
  know(data);
  ui.unfolded.clear(); // another emulator may have come, whose exchanges bear the same numbers
  const asked = location.hash.slice(1);
  if (!data.people.has(ui.person)) ui.person = data.people.has(asked) ? asked : (keys[0] ?? null);
  if (!data.numbers.some((number) => number.id === ui.numberId)) ui.numberId = data.numbers[0]?.id ?? null;
}

document.addEventListener("visibilitychange", changed);
window.addEventListener("focus", changed);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (store.ui.menu) closeMenu();
  else closePanel();
});
document.addEventListener("pointerdown", (event) => {
  if (store.ui.menu && !event.target.closest(".menu, [aria-expanded=true]")) closeMenu(false);
});

// What moves with time alone: typing that ends, the clock of the panel.
setInterval(() => {
  const { data, ui } = store;
  const isAnybodyTyping = [...data.chats.values()].some((chat) => isTyping(data, chat) || chat.typing_until);
  if (isAnybodyTyping || ui.tab === "clock") changed();
}, 1000);

changed();
