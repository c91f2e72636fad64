// Arrow keys in menus and grids, as the ARIA practices describe them.

/** Keydown of a menu: up, down, left, right, Home and End move the focus among its items. */
export function menuKeys(event) {
  const items = [...event.currentTarget.querySelectorAll("button:not([disabled])")];
  const at = items.indexOf(document.activeElement);
  const across = columnsOf(items);
  const to = {
    ArrowDown: at + across(at, 1),
    ArrowUp: at - across(at, -1),
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (to === undefined || !items.length) return;
  event.preventDefault();
  event.stopPropagation();
  items[(to + items.length) % items.length].focus();
}

/** How many items the next line is away: those that stand beside one another count. */
function columnsOf(items) {
  const lineOf = (item) => Math.round(item.getBoundingClientRect().top);
  return (at, step) => {
    if (at < 0) return 1;
    let to = at + step;
    while (items[to] && lineOf(items[to]) === lineOf(items[at])) to += step;
    if (!items[to]) return 1;
    const left = items[at].getBoundingClientRect().left;
    const line = lineOf(items[to]);
    while (items[to + step] && lineOf(items[to + step]) === line &&
      Math.abs(items[to + step].getBoundingClientRect().left - left) <
      Math.abs(items[to].getBoundingClientRect().left - left)) to += step;
    return Math.abs(to - at);
  };
}

let opened = null;

/** After drawing: a menu that has just opened takes the focus. */
export function focusMenu() {
  const menu = document.querySelector("[role=menu], .menu");
  if (menu && menu !== opened) menu.querySelector("button, input, textarea")?.focus();
  opened = menu;
}
