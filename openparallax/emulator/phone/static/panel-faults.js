// What may go wrong, as switches; and which of the platform's rules are kept.

import { ask } from "./actions.js";
import { html, icon, nothing } from "./lit.js";

const USUAL = { batch: "3", delay: "5", fail: "131026", refuse: "131056", refuse_other: "4", error_after_accepting: "503" };
const title = (name) => name.replaceAll("_", " ");
const parts = (text) => text.split("; value: "); // what happens, and what its value means if it has one
const nameOf = (data, key) => (key ? (data.people.get(key)?.name ?? key) : "everybody");

export function faultsTab(data) {
  const count = data.faults.length;
  return html`
    <div class="lead beside">
      <p>What goes wrong, for everybody or for one.</p>
      ${count
        ? html`<button class="plain small" type="button" @click=${() => ask("no-fault")}>
            ${count === 1 ? "Switch it off" : `Switch all ${count} off`}</button>`
        : nothing}
    </div>
    <ul class="switches">
      ${Object.entries(data.fault_names).map(([name, text]) => fault(data, name, text))}
    </ul>
    <h3>Rules of the platform</h3>
    <ul class="switches">
      ${Object.entries(data.rule_names).map(([name, text]) => rule(data, name, text))}
    </ul>
  `;
}

function fault(data, name, text) {
  const on = data.faults.filter((one) => one.name === name);
  return html`
    <li>
      <form class="fault" id="fault-${name}" @submit=${(event) => onSubmit(event, name)}>
        <label class="switch">
          <input type="checkbox" role="switch" .checked=${on.length > 0} @change=${(event) => toggle(event, name)}>
          <span><b>${title(name)}</b><small>${parts(text)[0]}</small></span>
        </label>
        ${on.length ? html`<ul class="on" aria-label="${title(name)}, on">${on.map((one) => state(data, one))}</ul>` : nothing}
        ${details(data, name, parts(text)[1])}
      </form>
    </li>
  `;
}

/** One that is on, with a switch of its own: the same fault may be on for several people. */
function state(data, { name, person, value, times }) {
  const whom = nameOf(data, person);
  const said = [`for ${whom}`, value, times && (times === 1 ? "once more" : `${times} times more`)]
    .filter(Boolean)
    .join(" · ");
  const off = person ? { name, person } : { name, everybody: true };
  return html`
    <li><span dir="auto">${said}</span>
      <button class="round tiny" type="button" aria-label="Switch off ${title(name)} for ${whom}"
        title="Switch off" @click=${() => ask("no-fault", off)}>${icon("close")}</button></li>
  `;
}

function details(data, name, meaning) {
  return html`
    <details class="more"><summary>for whom, how often${meaning ? ", what" : ""}</summary>
    <div class="details">
      <label>For whom
        <select name="person">
          <option value="">everybody</option>
          ${[...data.people.values()].map((person) => html`<option value=${person.key}>${person.name}</option>`)}
        </select>
      </label>
      <label>How often
        <input name="times" type="number" min="1" step="1" placeholder="always"></label>
      ${meaning
        ? html`<label class="value">Value: ${meaning}
            <input name="value" value=${USUAL[name] ?? ""} maxlength="64" autocomplete="off" spellcheck="false"></label>`
        : nothing}
      <button class="plain small" type="submit">Switch on</button>
    </div></details>
  `;
}

function onSubmit(event, name) {
  event.preventDefault();
  void switchOn(event.target, name);
}

function switchOn(form, name) {
  const { person, times, value } = Object.fromEntries(new FormData(form));
  return ask("fault", {
    name,
    person: person || null,
    value: value || null,
    times: times ? Number(times) : null,
  });
}

/** The switch beside the name: on as the form says, off for all that it is on for. */
async function toggle({ target: box }, name) {
  const wanted = box.checked;
  const answer = wanted ? await switchOn(box.form, name) : await ask("no-fault", { name });
  if (!answer) box.checked = !wanted;
}

function rule(data, name, text) {
  return html`
    <li>
      <label class="switch">
        <input type="checkbox" role="switch" .checked=${data.rules[name]}
          @change=${(event) => ask("rule", { name, on: event.target.checked })}>
        <span><b>${title(name)}</b><small>${text}</small></span>
      </label>
    </li>
  `;
}
