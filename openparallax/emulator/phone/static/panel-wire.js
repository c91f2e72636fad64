// The last webhooks and Graph calls, as they went over the wire.

import { unfold } from "./actions.js";
import { guard, html, icon, nothing, repeat } from "./lit.js";
import { duration, exactTimeOf } from "./times.js";

const SIGNED = { true: ["signed", "ok"], false: ["bad signature", "bad"] };

export function wireTab(data, ui) {
  if (!data.wire.length) {
    return html`<p class="none">Nothing has gone over the wire yet. Webhooks to the bot and its calls to Graph appear here.</p>`;
  }
  return html`
    <p class="legend">${icon("down")} webhooks to the bot ${icon("up")} its calls to Graph</p>
    <ol class="wire">
      ${repeat(data.wire.toReversed(), (one) => one.number, (one) => exchange(data, ui, one))}
    </ol>
  `;
}

function exchange(data, ui, one) {
  const bodies = ui.unfolded.get(one.number);
  return guard([one, bodies, data.people.get(one.person)], () => drawn(data, one, bodies));
}

function drawn(data, one, bodies) {
  const toBot = one.direction === "webhook";
  const [signed, signedClass] = SIGNED[one.is_signed] ?? [];
  return html`
    <li class="exchange is-${one.direction}">
      <details .open=${bodies !== undefined} @toggle=${(event) => onToggle(event, one, bodies)}>
        <summary>
          <span class="way" title=${toBot ? "webhook to the bot" : "the bot’s call to Graph"}>
            ${icon(toBot ? "down" : "up")}<span class="unseen">${toBot ? "Webhook:" : "Graph call:"}</span></span>
          <span class="what">
            <b>${one.what || `${one.method} ${one.path}`}</b>
            <span class="facts">
              <time>${exactTimeOf(one.at)}</time>
              ${one.person ? html`<span>${data.people.get(one.person)?.name ?? one.person}</span>` : nothing}
              ${one.attempt > 1 ? html`<span class="warn">attempt ${one.attempt}</span>` : nothing}
              ${signed ? html`<span class=${signedClass}>${signed}</span>` : nothing}
              ${one.note ? html`<span class="warn">${one.note}</span>` : nothing}
            </span>
          </span>
          <span class="result">
            <span class="status ${statusClass(one.status)}">${statusWord(one.status)}</span>
            <span class="took">${one.duration_ms === null ? "" : duration(one.duration_ms / 1000)}</span>
          </span>
        </summary>
        ${bodies ? unfolded(bodies) : nothing}
      </details>
    </li>
  `;
}

function onToggle(event, one, bodies) {
  const isOpen = event.target.open;
  if (isOpen !== (bodies !== undefined)) void unfold(one.number, isOpen);
}

const statusWord = (status) => (status === null ? "…" : status === 0 ? "none" : status);

function statusClass(status) {
  if (status === null) return "";
  return status >= 200 && status < 300 ? "ok" : "bad";
}

function unfolded(bodies) {
  return html`
    <div class="bodies">
      <p class="path"><code>${bodies.method} ${bodies.path}</code></p>
      ${body("Request", bodies.request)} ${body("Answer", bodies.answer)}
    </div>
  `;
}

function body(name, text) {
  return html`<h3>${name}</h3>
    ${text ? html`<pre tabindex="0" aria-label=${name}>${pretty(text)}</pre>` : html`<p class="none">empty</p>`}`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON, or cut off at its end
  }
}
