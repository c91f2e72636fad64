// The daemon beside the phone: how it is, and the ways to end and start it.

import { once } from "./actions.js";
import { html, nothing } from "./lit.js";

const WORDS = { starting: "starting", up: "up", stopping: "stopping", down: "down", ended: "ended by itself" };

export function daemonTab({ daemon }, ui) {
  if (!daemon) {
    return html`<p class="none">No daemon of ours runs beside this emulator: the bot is somebody else’s.</p>`;
  }
  const isUp = daemon.state === "up";
  const isDown = ["down", "ended"].includes(daemon.state);
  const isBusy = ["kill", "stop", "start"].some((name) => ui.busy.has(name));
  const act = (name, words, can, looks = "plain") => html`
    <button class=${looks} type="button" ?disabled=${!can || isBusy} @click=${() => once(name)}>${words}</button>
  `;
  return html`
    <p class="daemon-state is-${daemon.state}" role="status"><span class="lamp" aria-hidden="true"></span>
      The daemon is ${WORDS[daemon.state] ?? daemon.state}</p>
    ${daemon.note ? html`<p class="note">${daemon.note}</p>` : nothing}
    <div class="steps">
      ${act("kill", "Kill (SIGKILL)", isUp || daemon.state === "starting", "danger plain")}
      ${act("stop", "Stop", isUp)} ${act("start", "Start", isDown, "primary")}
    </div>
    <dl class="facts-list">
      ${fact("Process", daemon.pid ?? "none")}
      ${fact("Restarts", Math.max(daemon.starts - 1, 0))}
      ${Object.entries(daemon.facts).map(([name, value]) => fact(name, value))}
    </dl>
    <p class="none">Killed, it has no moment to put anything in order. What it had acknowledged is
      answered once it is back; what was off the record is gone, and it says so.</p>
  `;
}

const fact = (name, value) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
