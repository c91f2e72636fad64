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

const small = matchMedia("(max-width: 719px)");
const wide = matchMedia("(min-width: 1100px)");
small.addEventListener("change", () => changed());

/** Whether the panel stands beside the rest at all times. */
export const isPanelFixed = () => wide.matches;

/** Whether the panel lies over all the rest, which is then out of reach. */
export const isPanelModal = () => store.ui.isPanelOpen && small.matches;

export const currentKey = () => chatKey(store.ui.numberId, store.ui.person);

let draw = () => {};
let isDue = false;
let afterwards = [];

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
    const acts = afterwards;
    afterwards = [];
    for (const act of acts) act();
  };
  if (document.visibilityState === "visible") requestAnimationFrame(now);
  else setTimeout(now, 200); // no frames are drawn for a page that nobody sees
}

/** Do this once what has changed is drawn: what is still hidden cannot take the focus. */
export function afterDrawing(act) {
  afterwards.push(act);
  changed();
}

export function setUi(changes) {
  Object.assign(store.ui, changes);
  changed();
}
