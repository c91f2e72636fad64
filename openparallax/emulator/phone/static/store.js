// The one state of this page, and who is told when it changes. It flows one way: events and
// actions change it, `onChange` draws it.

import { chatKey, emptyData } from "./state.js";

export const store = {
  data: emptyData(),
  ui: {
    connection: "connecting", // connecting, live, lost
    person: null, // key of the one whose phone this is
    numberId: null,
    view: "chat", // on narrow windows: list or chat
    isPanelOpen: false, // where it is a drawer
    tab: "wire",
    drafts: new Map(), // chat -> text
    quoting: new Map(), // chat -> wamid
    menu: null, // what is open: {name, ...}
    unfolded: new Map(), // wire number -> bodies
    explained: new Set(), // wamids of failures whose reason is shown
    error: "", // the last call that was refused, in a sentence
    busy: new Set(), // calls under way that a second press must not repeat
  },
};

export const currentKey = () => chatKey(store.ui.numberId, store.ui.person);

let draw = () => {};
let isDue = false;

export function onChange(listener) {
  draw = listener;
}

/** Draw soon, once for however many changes. */
export function changed() {
  if (isDue) return;
  isDue = true;
  const now = () => {
    isDue = false;
    draw(store);
  };
  if (document.visibilityState === "visible") requestAnimationFrame(now);
  else setTimeout(now, 200); // no frames are drawn for a page that nobody sees
}

export function setUi(changes) {
  Object.assign(store.ui, changes);
  changed();
}
