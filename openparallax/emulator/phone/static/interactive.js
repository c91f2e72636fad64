// Buttons and lists that can be tapped, and templates with their blanks filled in.

import { html, icon, nothing, safeUrl } from "./lit.js";

/** What may be tapped under a message. */
export function choices(message, tap) {
  const { type, action = {} } = message.content;
  if (type === "list") return rows(message, action, tap);
  if (type === "cta_url") {
    const { display_text: text, url } = action.parameters ?? {};
    return list([urlButton(text, url)]);
  }
  return list(message.choices.map(({ id, title }) => choice(message, id, title, tap)));
}

/** A template's quick replies can be tapped, its addresses opened. */
export function templateChoices(message, buttons, tap) {
  return list([
    ...buttons.filter(({ type }) => type === "URL").map(({ text, url }) => urlButton(text, url)),
    ...message.choices.map(({ id, title }) => choice(message, id, title, tap)),
  ]);
}

const urlButton = (text, url) => html`
  <a class="choice" href=${safeUrl(url)} target="_blank" rel="noopener noreferrer">${icon("link")} ${text}</a>
`;

const list = (items) => (items.length ? html`<div class="choices">${items}</div>` : nothing);

const choice = (message, id, title, tap) => html`
  <button class="choice" type="button" @click=${() => tap(message.wamid, id)}><span dir="auto">${title}</span></button>
`;

function rows(message, action, tap) {
  return html`
    <details class="rows">
      <summary class="choice">${icon("list")} <span dir="auto">${action.button ?? "Choose"}</span></summary>
      ${(action.sections ?? []).map(
        (section) => html`
          ${section.title ? html`<p class="section" dir="auto">${section.title}</p>` : nothing}
          ${(section.rows ?? []).map(
            (row) => html`
              <button class="choice" type="button" @click=${() => tap(message.wamid, row.id)}>
                <span dir="auto">${row.title}${row.description ? html`<small>${row.description}</small>` : nothing}</span>
              </button>
            `,
          )}
        `,
      )}
    </details>
  `;
}

/** A template's words: of the account's own, where it lists it; else its name and what was filled in. */
export function templateText(held, templates) {
  const language = held.language?.code;
  const known = templates.find((one) => one.name === held.name && (!language || one.language === language));
  const given = held.components ?? [];
  const fillings = (type) => given.find((one) => String(one.type).toLowerCase() === type)?.parameters ?? [];
  const part = (type) => (known?.components ?? []).find((one) => String(one.type).toLowerCase() === type);
  const fill = (type) => filled(part(type)?.text ?? "", fillings(type));
  const buttons = (part("buttons")?.buttons ?? []).map((button) => ({
    ...button,
    type: String(button.type).toUpperCase(),
  }));
  return {
    header: fill("header"),
    body: known ? fill("body") : [`Template “${held.name ?? ""}”`, ...fillings("body").map(valueOf)].join("\n"),
    footer: part("footer")?.text ?? "",
    buttons,
  };
}

const valueOf = (filling) =>
  filling.text ?? filling.currency?.fallback_value ?? filling.date_time?.fallback_value ?? "";

function filled(text, fillings) {
  return text.replace(/\{\{\s*(\w+)\s*\}\}/gu, (blank, name) => {
    const filling = fillings.find((one) => one.parameter_name === name) ?? fillings[Number(name) - 1];
    return filling ? valueOf(filling) : blank;
  });
}
