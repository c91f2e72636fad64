// The emulator's clock: a day passes at the press of a button.

import { ask } from "./actions.js";
import { html } from "./lit.js";
import { nowOf } from "./state.js";
import { duration, exactTimeOf, fullTimeOf, isoOf } from "./times.js";

const UNITS = { minutes: 60, hours: 3_600, days: 86_400 };
const STEPS = [["+1 hour", 3_600], ["+1 day", 86_400], ["+8 days", 691_200]];

export function clockTab(data) {
  const now = nowOf(data);
  const moved = data.moved_s;
  return html`
    <p class="clock-face"><time datetime=${isoOf(now)}>${exactTimeOf(now)}</time></p>
    <p class="lead centred">${fullTimeOf(now)}</p>
    <p class="lead centred" role="status">${moved
      ? `${duration(moved)} ${moved > 0 ? "ahead of" : "behind"} this machine`
      : "the time of this machine"}</p>
    <div class="steps">
      ${STEPS.map(([words, seconds]) => html`
        <button class="plain" type="button" @click=${() => ask("move-clock", { seconds })}>${words}</button>`)}
    </div>
    <form class="custom" @submit=${move}>
      <label>Move by <input name="much" type="number" step="any" value="25" required></label>
      <label><span class="unseen">Unit</span>
        <select name="unit">${Object.keys(UNITS).map((unit) => html`<option ?selected=${unit === "hours"}>${unit}</option>`)}</select>
      </label>
      <button class="primary" type="submit">Move</button>
    </form>
    <p class="lead"><button class="plain" type="button" ?disabled=${!moved} @click=${() => ask("reset-clock")}>
      Back to this machine’s time</button></p>
    <p class="none">Forward, everything that waits fires as if the time had passed: windows of 24 hours
      close, tokens and files expire. The daemon keeps its own time.</p>
  `;
}

function move(event) {
  event.preventDefault();
  const { much, unit } = Object.fromEntries(new FormData(event.target));
  void ask("move-clock", { seconds: Number(much) * UNITS[unit] });
}
