// The daemon beside the phone: how it is, and the ways to end and start it.

import { once } from "./actions.js";
import { html, nothing } from "./lit.js";

const WORDS = {
  starting: "The daemon is starting",
  up: "The daemon is up",
  stopping: "The daemon is stopping",
  down: "The daemon is down",
  ended: "The daemon ended by itself",
};

/** What it left behind: a sentence, the file of its log, and that file's last lines. */
export function lastWords({ note }) {
  const [first, ...lines] = note.split("\n");
  const [said, file = ""] = first.split(/ The end of (?=.*:$)/u);
  return { said, file: file.replace(/:$/u, ""), log: lines.map((line) => line.replace(/^ {4}/u, "")).join("\n") };
}


export function daemonTab({ daemon }, ui) {
  if (!daemon) {
    return html`<p class="none">No daemon of ours runs beside this emulator: the bot is somebody else’s.</p>`;
  }
  const last = lastWords(daemon);
  const isUp = daemon.state === "up";
  const isDown = ["down", "ended"].includes(daemon.state);
  const isBusy = ["kill", "stop", "start"].some((name) => ui.busy.has(name));
  const act = (name, words, can, looks = "plain") => html`
    <button class=${looks} type="button" ?disabled=${!can || isBusy} @click=${() => once(name)}>${words}</button>
  `;
  return html`
    <p class="daemon-state is-${daemon.state}" role="status"><span class="lamp" aria-hidden="true"></span>
      ${(daemon.state === "ended" && last.said) || (WORDS[daemon.state] ?? daemon.state)}</p>
    ${last.log || (last.said && daemon.state !== "ended") ? note(daemon, last) : nothing}
    <div class="steps">
      ${act("kill", "Kill", isUp || daemon.state === "starting", "danger plain")}
      ${act("stop", "Stop", isUp)} ${act("start", "Start", isDown, "primary")}
    </div>
    <dl class="facts-list">
      ${fact("Process", daemon.pid ?? "none")}
      ${fact("Restarts", Math.max(daemon.starts - 1, 0))}
      ${Object.entries(daemon.facts).map(([name, value]) => fact(name, value))}
    </dl>
    <p class="none">Killed (SIGKILL), it has no moment to put anything in order. What it had acknowledged is
      answered once it is back; what was off the record is gone, and it says so.</p>
  `;
}

const note = ({ state }, { said, file, log }) => html`
  <div class="note">
    ${state === "ended" ? nothing : html`<p>${said}</p>`}
    ${log ? html`<p>The end of <code>${file}</code>:</p><pre tabindex="0" aria-label="The end of its log">${log}</pre>` : nothing}
  </div>
`;

const fact = (name, value) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
