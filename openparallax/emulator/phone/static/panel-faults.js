// What may go wrong, as switches; and which of the platform's rules are kept.

import { ask } from "./actions.js";
import { html, nothing } from "./lit.js";

const VALUED = {
  batch: ["number", "how many", "3"],
  delay: ["number", "seconds", "5"],
  drop_status: ["text", "which", ""],
  fail: ["number", "code", "131026"],
  refuse: ["number", "code", "131056"],
  error_after_accepting: ["number", "status", "503"],
  hang: ["number", "seconds", ""],
};
const title = (name) => name.replaceAll("_", " ");
const describe = (text) => text.split("; value:")[0];

export function faultsTab(data) {
  return html`
    <p class="lead">What goes wrong, for everybody or for one. It is off until you switch it on.</p>
    ${data.faults.length
      ? html`<p class="lead"><button class="plain" type="button" @click=${() => ask("no-fault")}>Switch all ${data.faults.length} off</button></p>`
      : nothing}
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
      <form class="fault" id="fault-${name}" @submit=${(event) => event.preventDefault()}>
        <label class="switch">
          <input type="checkbox" role="switch" .checked=${on.length > 0} @change=${(event) => toggle(event, name)}>
          <span><b>${title(name)}</b><small>${describe(text)}</small></span>
        </label>
        ${on.map((one) => html`<p class="is-on">${state(data, one)}</p>`)}
        ${on.length ? nothing : details(data, name)}
      </form>
    </li>
  `;
}

function state(data, { person, value, times }) {
  const whom = person ? (data.people.get(person)?.name ?? person) : "everybody";
  return [`for ${whom}`, value && `value ${value}`, times && (times === 1 ? "once more" : `${times} times more`)]
    .filter(Boolean)
    .join(" · ");
}

function details(data, name) {
  const [type, hint, usual] = VALUED[name] ?? [];
  return html`
    <details class="more"><summary>for whom, how often${hint ? `, ${hint}` : ""}</summary>
    <div class="details">
      <label><span class="unseen">For whom</span>
        <select name="person">
          <option value="">everybody</option>
          ${[...data.people.values()].map((person) => html`<option value=${person.key}>${person.name}</option>`)}
        </select>
      </label>
      <label><span class="unseen">How often</span>
        <input name="times" type="number" min="1" step="1" placeholder="always"></label>
      ${hint
        ? html`<label><span class="unseen">Value: ${hint}</span>
            <input name="value" type=${type} step="any" min="0" value=${usual} placeholder=${hint} title=${hint}></label>`
        : nothing}
    </div></details>
  `;
}

async function toggle(event, name) {
  const box = event.target;
  if (!box.checked) {
    await ask("no-fault", { name });
    return;
  }
  const { person, times, value } = Object.fromEntries(new FormData(box.form));
  const answer = await ask("fault", {
    name,
    person: person || null,
    value: value || null,
    times: times ? Number(times) : null,
  });
  if (!answer) box.checked = false;
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
