// A voice note with a button, a bar and its length; the first time that it plays is told.

import { played } from "./actions.js";
import { html, icon, live } from "./lit.js";
import { changed } from "./store.js";

const players = new Map(); // wamid -> Audio

export function voiceNote(message, address) {
  const player = players.get(message.wamid);
  const isPlaying = player !== undefined && !player.paused;
  const length = Number.isFinite(player?.duration) ? player.duration : 0;
  const at = player?.currentTime ?? 0;
  const name = message.content.voice ? "voice note" : "audio";
  return html`
    <div class="voice">
      <button class="round" type="button" aria-label="${isPlaying ? "Pause" : "Play"} ${name}"
        @click=${() => toggle(message, address)}>${icon(isPlaying ? "pause" : "play")}</button>
      <progress max="1" .value=${live(length ? at / length : 0)} aria-label="Played so far"></progress>
      <span class="length">${player ? clock(at) : name}</span>
    </div>
  `;
}

function toggle(message, address) {
  const player = players.get(message.wamid) ?? make(message, address);
  if (!player.paused) player.pause();
  else player.play().catch(() => changed());
}

function make(message, address) {
  const player = new Audio(address);
  players.set(message.wamid, player);
  let isTold = !message.is_ours || message.status === "played";
  for (const event of ["play", "pause", "timeupdate", "ended", "loadedmetadata"]) {
    player.addEventListener(event, changed);
  }
  player.addEventListener("playing", () => {
    if (!isTold) void played(message);
    isTold = true;
  });
  return player;
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
