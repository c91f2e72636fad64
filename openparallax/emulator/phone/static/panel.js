// Behind the scenes: the wire, the faults, the clock, the daemon, the cast.

import { closePanel } from "./actions.js";
import { html, icon, nothing } from "./lit.js";
import { clockTab } from "./panel-clock.js";
import { daemonTab } from "./panel-daemon.js";
import { faultsTab } from "./panel-faults.js";
import { peopleTab } from "./panel-people.js";
import { wireTab } from "./panel-wire.js";
import { isPanelModal, setUi } from "./store.js";

const TABS = [
  ["wire", "Wire", wireTab],
  ["faults", "Faults", faultsTab],
  ["clock", "Clock", clockTab],
  ["daemon", "Daemon", daemonTab],
  ["people", "People", peopleTab],
];

export function panelView(data, ui) {
  const [name, , view] = TABS.find(([one]) => one === ui.tab) ?? TABS[0];
  return html`
    <aside class="panel" id="panel" aria-label="Behind the scenes" role=${isPanelModal() ? "dialog" : nothing}
      aria-modal=${isPanelModal() ? "true" : nothing}>
      <header class="bar">
        <h2>Behind the scenes</h2>
        <button class="round panel-button" type="button" aria-label="Close"
          @click=${closePanel}>${icon("close")}</button>
      </header>
      <div class="tabs" role="tablist" aria-label="Behind the scenes" @keydown=${onKey}>
        ${TABS.map(
          ([id, words]) => html`
            <button role="tab" type="button" id="tab-${id}" aria-controls="tab-panel"
              aria-selected=${id === name} tabindex=${id === name ? 0 : -1}
              @click=${() => setUi({ tab: id })}>${words}${mark(data, id)}</button>
          `,
        )}
      </div>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby="tab-${name}" tabindex="0">
        ${view(data, ui)}
      </div>
    </aside>
  `;
}

function mark(data, id) {
  const isOn =
    (id === "faults" && data.faults.length > 0) ||
    (id === "clock" && data.moved_s !== 0) ||
    (id === "daemon" && data.daemon && data.daemon.state !== "up");
  return isOn ? html`<span class="mark" role="img" aria-label="changed"></span>` : "";
}

function onKey(event) {
  const at = TABS.findIndex(([id]) => event.target.id === `tab-${id}`);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const [id] = TABS[(to + TABS.length) % TABS.length];
  setUi({ tab: id });
  event.currentTarget.querySelector(`#tab-${id}`).focus();
}
