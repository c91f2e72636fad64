// The cast, and how to add to it.

import { ask, openChat } from "./actions.js";
import { avatar, html, nothing } from "./lit.js";

export function peopleTab(data) {
  return html`
    <form class="add" @submit=${add}>
      <label>Name <input name="name" required maxlength="64" autocomplete="off"></label>
      <label>Number <input name="phone" type="tel" placeholder="+49 155 50000005" maxlength="32" autocomplete="off"></label>
      <label>Username <input name="username" placeholder="@somebody" maxlength="32" autocomplete="off"></label>
      <button class="primary" type="submit">Add a person</button>
    </form>
    <ul class="cast">
      ${[...data.people.values()].map(
        (person) => html`
          <li>
            ${avatar(person.name, person.key)}
            <dl class="facts-list">
              <div><dt>Name</dt><dd dir="auto">${person.name}</dd></div>
              ${fact("Number", person.wa_id && `+${person.wa_id}`)}
              ${fact("Username", person.username && `@${person.username}`)}
              ${fact("Scoped id", person.user_id)}
              ${person.is_reachable ? nothing : fact("Phone", "cannot be reached")}
            </dl>
          </li>
        `,
      )}
    </ul>
    <p class="lead"><button class="danger plain" type="button" @click=${clear}>Empty all chats</button></p>
  `;
}

const fact = (name, value) => (value ? html`<div><dt>${name}</dt><dd>${value}</dd></div>` : nothing);

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const added = await ask("add-person", Object.fromEntries(new FormData(form)));
  if (!added) return;
  form.reset();
  openChat(added.key);
}

function clear() {
  if (confirm("Empty all chats? The emulator forgets them; the daemon does not.")) void ask("clear");
}
