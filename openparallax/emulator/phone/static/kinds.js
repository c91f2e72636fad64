// What each kind of message shows, and the few words that stand for it elsewhere.

import { tap } from "./actions.js";
import { guard, html, icon, nothing, safeUrl } from "./lit.js";
import { flat, render as renderMarks } from "./marks.js";
import { choices, templateChoices, templateText } from "./interactive.js";
import { voiceNote } from "./voice.js";

const NAMES = {
  image: "Picture", video: "Video", audio: "Audio", sticker: "Sticker", document: "Document",
  location: "Location", contacts: "Contact", interactive: "Choice", button: "Choice", template: "Template",
};

/** What a person reads of it; "" where there are no words. */
export function textOf({ kind, content, is_deleted }) {
  if (is_deleted) return "";
  if (kind === "text") return content.body ?? "";
  if (kind === "button") return content.text ?? "";
  if (kind === "interactive") {
    return content.body?.text ?? content.button_reply?.title ?? content.list_reply?.title ?? "";
  }
  return content.caption ?? "";
}

/** One line for lists, quotations and screen readers. */
export function summary(message) {
  if (message.is_deleted) return "Message taken back";
  const { kind, content } = message;
  const text = flat(textOf(message));
  const name = kind === "audio" && content.voice ? "Voice note" : (NAMES[kind] ?? kind);
  if (kind === "text" || kind === "button") return text;
  if (kind === "interactive" && text) return text;
  const detail = text || content.filename || content.name || (kind === "contacts" && cards(content)[0]?.name?.formatted_name);
  return detail ? `${name}: ${detail}` : name;
}

export function content(data, chat, message) {
  return (KINDS[message.kind] ?? unknown)(message, data);
}

/** What may be tapped in it. */
export function taps(data, message) {
  if (!message.is_ours || message.is_deleted) return nothing;
  if (message.kind === "interactive") return choices(message, tap);
  if (message.kind !== "template") return nothing;
  return templateChoices(message, templateText(message.content, data.templates).buttons, tap);
}

const words = (text) =>
  text
    ? html`<div class="text" dir="auto">${guard([text], () => renderMarks(String(text)))}</div>`
    : nothing;

const address = (held) => (held.id ? `/phone/media/${encodeURIComponent(held.id)}` : null);

/** Files that lie elsewhere are named, not fetched: this page loads nothing from outside. */
function elsewhere(kind, held) {
  return html`
    <p class="card">${icon("link")}
      <span><b>${NAMES[kind]}</b><br><a href=${safeUrl(held.link)} target="_blank" rel="noopener noreferrer">${held.link ?? "nowhere"}</a></span>
    </p>
  `;
}

const KINDS = {
  text: ({ content: held }) => words(held.body),
  button: ({ content: held }) => words(held.text),
  image: ({ kind, content: held }) => html`
    ${address(held)
      ? html`<a class="picture" href=${address(held)} target="_blank" rel="noopener"><img src=${address(held)} alt=${held.caption || "Picture"} loading="lazy"></a>`
      : elsewhere(kind, held)}
    ${words(held.caption)}
  `,
  sticker: ({ kind, content: held }) =>
    address(held) ? html`<img class="sticker" src=${address(held)} alt="Sticker">` : elsewhere(kind, held),
  video: ({ kind, content: held }) => html`
    ${address(held) ? html`<video src=${address(held)} controls preload="metadata"></video>` : elsewhere(kind, held)}
    ${words(held.caption)}
  `,
  audio: (message) =>
    address(message.content)
      ? voiceNote(message, address(message.content))
      : elsewhere("audio", message.content),
  document: ({ kind, content: held }) => html`
    ${address(held)
      ? html`<a class="card" href=${address(held)} download=${held.filename || "file"}>${icon("file")}
          <span><b dir="auto">${held.filename || "Document"}</b><br>${held.mime_type ?? "file"}</span></a>`
      : elsewhere(kind, held)}
    ${words(held.caption)}
  `,
  location: ({ content: held }) => html`
    <a class="place" target="_blank" rel="noopener noreferrer"
      href="https://www.openstreetmap.org/?mlat=${Number(held.latitude)}&mlon=${Number(held.longitude)}#map=15/${Number(held.latitude)}/${Number(held.longitude)}">
      <span class="map" aria-hidden="true">${icon("pin")}</span>
      <span class="card"><span>
        <b dir="auto">${held.name || "Location"}</b><br>${held.address ? html`${held.address}<br>` : nothing}
        ${Number(held.latitude).toFixed(5)}, ${Number(held.longitude).toFixed(5)}</span></span>
    </a>
  `,
  contacts: ({ content: held }) =>
    cards(held).map(
      (card) => html`
        <p class="card">${icon("person")}
          <span><b dir="auto">${card.name?.formatted_name ?? "Somebody"}</b><br>
          ${(card.phones ?? []).map((phone) => phone.phone ?? phone.wa_id).join(", ")}</span></p>
      `,
    ),
  interactive: (message) => html`
    ${header(message.content.header)} ${words(textOf(message))}
    ${message.content.footer?.text ? html`<p class="footer" dir="auto">${message.content.footer.text}</p>` : nothing}
  `,
  template: (message, data) => {
    const shown = templateText(message.content, data.templates);
    return html`
      ${shown.header ? html`<p class="heading" dir="auto">${shown.header}</p>` : nothing} ${words(shown.body)}
      ${shown.footer ? html`<p class="footer" dir="auto">${shown.footer}</p>` : nothing}
    `;
  },
};

const cards = (held) => (Array.isArray(held) ? held : (held.contacts ?? []));

function header(held) {
  if (!held) return nothing;
  if (held.type === "text") return html`<p class="heading" dir="auto">${held.text}</p>`;
  const show = KINDS[held.type];
  return show && ["image", "video", "document"].includes(held.type)
    ? show({ kind: held.type, content: held[held.type] ?? {} })
    : nothing;
}

function unknown({ kind }) {
  return html`<p class="deleted">A message of kind “${kind}”, which this phone cannot show</p>`;
}
