// Everything that is no text: files, samples, a place, a contact card, and the business's own phone.

import { closeMenu, echo, sendContact, sendFile, sendLocation } from "./actions.js";
import { html, icon, nothing } from "./lit.js";
import { menuKeys } from "./menu-keys.js";

const PICTURES = "image/jpeg,image/png,image/webp,video/mp4,video/3gpp";

export function attachMenu(draft) {
  return html`
    <div class="menu attach-menu" role="menu" aria-label="Send something else" @keydown=${menuKeys}>
      ${item("picture", "Picture or video …", () => choose(PICTURES, (file) => [kindOf(file)]))}
      ${item("file", "Document …", () => choose("", () => ["document"]))}
      ${item("voice", "Voice note from a file …", () => choose("audio/*", () => ["audio", { is_voice: true }]))}
      <hr>
      ${item("picture", "Sample picture", () => sendFile("image"))}
      ${item("voice", "Sample voice note", () => sendFile("audio", null, { is_voice: true }))}
      ${item("file", "Sample document", () => sendFile("document"))}
      <hr>
      ${item("pin", "Location …", () => document.querySelector("#location").showModal())}
      ${item("person", "Contact card …", () => document.querySelector("#contact").showModal())}
      ${draft.trim() ? html`<hr>${item("business", "Say it as the business, from its phone", echo)}` : nothing}
    </div>
  `;
}

function item(sign, words, act) {
  return html`
    <button role="menuitem" type="button" tabindex="-1" @click=${() => { closeMenu(); void act(); }}>
      ${icon(sign)} ${words}</button>
  `;
}

/** Let a file be chosen and send it. */
function choose(accept, asWhat) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = accept;
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) void sendFile(...spread(asWhat(file), file));
  });
  input.click();
}

const spread = ([kind, more], file) => [kind, file, more];

function kindOf({ type }) {
  if (type === "image/webp") return "sticker";
  if (type === "image/jpeg" || type === "image/png") return "image";
  return type.startsWith("video/") ? "video" : "document";
}

/** The forms of a place and of a contact card. */
export function dialogs() {
  return html`
    <dialog id="location" aria-labelledby="location-title">
      <form method="dialog" @submit=${(event) => submit(event, (said) =>
        sendLocation({ ...said, latitude: Number(said.latitude), longitude: Number(said.longitude) }))}>
        <h2 id="location-title">Send a location</h2>
        <label>Name <input name="name" value="Brandenburg Gate" maxlength="256"></label>
        <label>Address <input name="address" value="Pariser Platz, Berlin" maxlength="256"></label>
        <div class="pair">
          <label>Latitude <input name="latitude" type="number" step="any" min="-90" max="90" value="52.51628" required></label>
          <label>Longitude <input name="longitude" type="number" step="any" min="-180" max="180" value="13.37771" required></label>
        </div>
        ${ends("location")}
      </form>
    </dialog>
    <dialog id="contact" aria-labelledby="contact-title">
      <form method="dialog" @submit=${(event) => submit(event, sendContact)}>
        <h2 id="contact-title">Send a contact card</h2>
        <label>Name <input name="name" value="Erin Example" maxlength="256" required></label>
        <label>Number <input name="phone" type="tel" value="+1 555 010 0199" maxlength="32" required></label>
        ${ends("contact")}
      </form>
    </dialog>
  `;
}

function ends(id) {
  return html`
    <p class="ends">
      <button type="button" class="plain" @click=${() => document.querySelector(`#${id}`).close()}>Cancel</button>
      <button type="submit" class="primary">Send</button>
    </p>
  `;
}

function submit(event, act) {
  void act(Object.fromEntries(new FormData(event.target)));
}
