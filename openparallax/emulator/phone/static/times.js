// Moments and durations as people read them, in the browser's own language and zone.

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY_S = 86_400;

const date = (unix_s) => new Date(unix_s * 1000);

export const timeOf = (unix_s) => clock.format(date(unix_s));
export const exactTimeOf = (unix_s) => exact.format(date(unix_s));
export const fullTimeOf = (unix_s) => full.format(date(unix_s));
export const isoOf = (unix_s) => date(unix_s).toISOString();
export const dayKey = (unix_s) => date(unix_s).toDateString();

export function dayOf(unix_s, now_s) {
  if (dayKey(unix_s) === dayKey(now_s)) return "Today";
  if (dayKey(unix_s) === dayKey(now_s - DAY_S)) return "Yesterday";
  return day.format(date(unix_s));
}

/** 350 ms, 1.2 s, 3 min, 4 h 5 min, 2 days. */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size < 0.9995) return `${Math.round(size * 1000)} ms`;
  if (size < 59.95) return `${size.toFixed(size < 10 ? 1 : 0)} s`;
  const minutes = Math.round(size / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}
