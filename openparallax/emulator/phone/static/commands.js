// The commands that people may write to the daemon.

export const COMMANDS = [
  { command: "/new", does: "a fresh conversation, on the record" },
  { command: "/otr", does: "off the record: nothing is written down" },
  { command: "/otr off", does: "back to the conversation before" },
  { command: "/help", does: "what can be asked for" },
  { command: "/status", does: "conversation, mode, engine, what is waiting" },
];

/** Those that begin as the draft does; none where it is more than a command. */
export function commandsFor(draft) {
  const begun = draft.toLowerCase();
  if (!begun.startsWith("/") || begun.includes("\n")) return [];
  return COMMANDS.filter(({ command }) => command.startsWith(begun));
}
