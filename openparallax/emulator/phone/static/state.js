// What the page knows: a snapshot, and the changes that followed. Nothing here touches the DOM.

const MOST_WIRE = 200;
const MOST_MESSAGES = 500; // of a chat, as many as a snapshot brings

export function emptyData() {
  return {
    ahead_s: 0, // the emulator's clock minus this browser's
    moved_s: 0, // how far the emulator's clock was moved
    numbers: [],
    people: new Map(),
    chats: new Map(),
    templates: [],
    wire: [],
    faults: [],
    fault_names: {},
    rules: {},
    rule_names: {},
    daemon: null,
  };
}

/** Take one change of the feed into `data`; unknown kinds are left alone. */
export function apply(data, change, browserNow = Date.now() / 1000) {
  KINDS[change.kind]?.(data, change, browserNow);
}

const KINDS = {
  snapshot(data, told, browserNow) {
    Object.assign(data, emptyData(), told, {
      ahead_s: told.now - browserNow,
      moved_s: told.ahead_s,
      people: new Map(told.people.map((person) => [person.key, person])),
      chats: new Map(told.chats.map((chat) => [chatKey(chat.number_id, chat.person), chat])),
    });
    for (const chat of data.chats.values()) chat.messages.sort((one, other) => one.at - other.at);
  },
  message(data, { message }) {
    const { messages } = chatOf(data, message.number_id, message.person);
    const at = messages.findLastIndex((one) => one.wamid === message.wamid);
    if (at >= 0) messages[at] = message;
    else messages.splice(messages.findLastIndex((one) => one.at <= message.at) + 1, 0, message);
    if (messages.length > MOST_MESSAGES) messages.shift();
  },
  typing(data, { number_id, person, until }) {
    chatOf(data, number_id, person).typing_until = until;
  },
  person(data, { person }) {
    data.people.set(person.key, person);
  },
  cleared(data) {
    data.chats.clear();
  },
  wire(data, { exchange }) {
    const at = data.wire.findLastIndex((one) => one.number === exchange.number);
    if (at >= 0) data.wire[at] = exchange;
    else data.wire.push(exchange);
    if (data.wire.length > MOST_WIRE) data.wire.shift();
  },
  faults(data, { faults }) {
    data.faults = faults;
  },
  rules(data, { rules }) {
    data.rules = rules;
  },
  clock(data, { now, ahead_s }, browserNow) {
    data.ahead_s = now - browserNow;
    data.moved_s = ahead_s;
  },
  daemon(data, { daemon }) {
    data.daemon = daemon;
  },
};

export const chatKey = (numberId, person) => `${numberId}/${person}`;

/** The chat of these two; made where there is none yet. */
export function chatOf(data, numberId, person) {
  const key = chatKey(numberId, person);
  if (!data.chats.has(key)) {
    data.chats.set(key, { number_id: numberId, person, typing_until: 0, messages: [] });
  }
  return data.chats.get(key);
}

/** Unix seconds of the emulator's clock. */
export const nowOf = (data) => Date.now() / 1000 + data.ahead_s;

export const isUnread = (message) =>
  message.is_ours && !message.is_deleted && ["sent", "delivered"].includes(message.status);

export const isTyping = (data, chat) => chat.typing_until > nowOf(data);

export const isOffTheRecord = (data, person) =>
  data.daemon?.modes?.[person] === "off_the_record";
