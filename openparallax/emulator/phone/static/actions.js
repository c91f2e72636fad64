// What a press or a key does: asks the emulator, or changes what only this page knows.

import { call, exchange, upload } from "./calls.js";
import { isUnread } from "./state.js";
import { afterDrawing, changed, currentKey, isPanelFixed, setUi, store } from "./store.js";

const ERROR_MS = 6_000;
let errorTimer = 0;

/** Ask the emulator; a refusal is shown, and undefined returned. */
export async function ask(name, said = {}) {
  return shown(call(name, said));
}

async function shown(promise) {
  try {
    return await promise;
  } catch (refused) {
    clearTimeout(errorTimer);
    errorTimer = setTimeout(() => setUi({ error: "" }), ERROR_MS);
    setUi({ error: refused.message });
    return undefined;
  }
}

const here = () => ({ person: store.ui.person, number_id: store.ui.numberId });

export function openChat(person) {
  setUi({ person, view: "chat", menu: null });
  history.replaceState(null, "", `#${person}`);
  if (matchMedia("(hover: hover)").matches) afterDrawing(() => document.querySelector("#draft")?.focus());
}

/** Back from a chat to everybody, where only one of the two has room. */
export function openList() {
  setUi({ view: "list", menu: null });
  afterDrawing(() => document.querySelector(".person[aria-current=true]")?.focus());
}

let panelOpener = null; // what had the focus when the panel was opened

export function openPanel(tab = store.ui.tab) {
  panelOpener = document.activeElement;
  setUi({ tab, isPanelOpen: !isPanelFixed(), menu: null });
  afterDrawing(() => document.querySelector(`#tab-${tab}`)?.focus());
}

export function closePanel() {
  if (!store.ui.isPanelOpen) return;
  setUi({ isPanelOpen: false });
  afterDrawing(() => (panelOpener?.isConnected ? panelOpener : document.querySelector("#draft"))?.focus());
}

export function openNumber(numberId) {
  setUi({ numberId, menu: null });
}

let opener = null; // what had the focus when a menu was opened

export function openMenu(name, more = {}) {
  if (!store.ui.menu) opener = document.activeElement;
  setUi({ menu: { name, ...more } });
}

/** Close what is open; the keyboard goes back to where it was opened. */
export function closeMenu(focus = true) {
  setUi({ menu: null });
  if (focus) opener?.focus();
}

export function setDraft(text) {
  store.ui.drafts.set(currentKey(), text);
  changed();
}

export function quote(wamid) {
  if (wamid) store.ui.quoting.set(currentKey(), wamid);
  else store.ui.quoting.delete(currentKey());
  setUi({ menu: null });
  document.querySelector("#draft")?.focus();
}

/** Send the draft; it comes back where the emulator refused it and nothing else was begun. */
export async function send() {
  const key = currentKey();
  const text = store.ui.drafts.get(key) ?? "";
  if (!text.trim()) return;
  const quoting = store.ui.quoting.get(key);
  store.ui.drafts.delete(key);
  store.ui.quoting.delete(key);
  changed();
  const sent = await ask("say", { ...here(), text, quoting });
  if (sent || store.ui.drafts.get(key)) return;
  store.ui.drafts.set(key, text);
  changed();
}

/** The same words, as somebody of the business on the business's own phone. */
export async function echo() {
  const text = store.ui.drafts.get(currentKey()) ?? "";
  closeMenu();
  if (text.trim() && (await ask("echo", { ...here(), text }))) setDraft("");
}

export async function sendFile(kind, file = null, more = {}) {
  const caption = file ? (store.ui.drafts.get(currentKey()) ?? "") : "";
  const said = { ...here(), kind, filename: file?.name ?? "", caption, ...more };
  const sent = await shown(upload(said, file));
  if (sent && caption) setDraft("");
}

export const sendLocation = (said) => ask("location", { ...here(), ...said });
export const sendContact = (said) => ask("contact", { ...here(), ...said });
export const tap = (wamid, choice) => ask("tap", { ...here(), wamid, choice });
export const takeBack = (wamid) => ask("take-back", { ...here(), wamid });
export const played = (message) => ask("played", { person: message.person, wamid: message.wamid });

export function react(message, emoji) {
  closeMenu();
  const isSame = message.reactions.person === emoji;
  return ask("react", { ...here(), wamid: message.wamid, emoji: isSame ? "" : emoji });
}

export function explain(wamid) {
  const { explained } = store.ui;
  if (!explained.delete(wamid)) explained.add(wamid);
  changed();
}

/** Tell that the chat is looked at, once for each newest message. */
const seen = new Map();
export function look(chat) {
  if (document.visibilityState !== "visible" || !document.hasFocus()) return;
  const newest = chat.messages.findLast((message) => isUnread(message) && message.status === "delivered");
  const key = currentKey();
  if (!newest || seen.get(key) === newest.wamid) return;
  seen.set(key, newest.wamid);
  void call("read", here()).catch(() => seen.delete(key));
}

export async function unfold(number, isOpen) {
  if (!isOpen) {
    store.ui.unfolded.delete(number);
    changed();
    return;
  }
  const bodies = await shown(exchange(number));
  if (bodies) store.ui.unfolded.set(number, bodies);
  changed();
}

/** A call that must not be repeated while it is under way. */
export async function once(name, said = {}) {
  if (store.ui.busy.has(name)) return undefined;
  store.ui.busy.add(name);
  changed();
  const answer = await ask(name, said);
  store.ui.busy.delete(name);
  changed();
  return answer;
}
