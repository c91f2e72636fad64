// WhatsApp's own marks: from text to a tree, and from the tree to nodes. Words never become HTML.
//
// *bold* _italic_ ~strike~ `code` hold within one line, begin and end at a word, and may lie in one
// another; ```monospace``` may span lines. A line may begin as a list ("- ", "* ", "1. ") or as a
// quotation ("> ").

const MARKS = { "*": "strong", _: "em", "~": "s" };
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"]+/giu;
const LINK_ENDS = new Set(".,;:!?'\")]}*_~");
const WORD = /[\p{L}\p{N}]/u;
const MOST_MARKED = 4_096; // characters of a line, all that a business may send; beyond, marks stand as typed

/**
 * The tree of a text: strings, and `{tag, inside, href?, start?}`.
 *
 * Tags: strong em s code pre a blockquote ul ol li, and br between plain lines.
 */
export function parse(text) {
  const tree = [];
  text.split(/```([\s\S]+?)```/u).forEach((piece, index) => {
    if (index % 2) tree.push({ tag: "pre", inside: [piece.replace(/^\n|\n$/gu, "")] });
    else tree.push(...blocks(piece));
  });
  return tree;
}

/** Nodes of a text, made one by one. */
export function render(text) {
  const into = document.createDocumentFragment();
  into.append(...parse(text).map(toNode));
  return into;
}

/** The words alone, in one line: what lists and screen readers show. */
export function flat(text) {
  const words = (piece) =>
    typeof piece === "string" ? piece : around(piece.tag, (piece.inside ?? []).map(words).join(""));
  return parse(text).map(words).join("").replace(/\s+/gu, " ").trim();
}

const APART = new Set(["pre", "blockquote", "ul", "ol", "li", "br"]);
const around = (tag, words) => (APART.has(tag) ? ` ${words} ` : words);

function toNode(piece) {
  if (typeof piece === "string") return document.createTextNode(piece);
  const node = document.createElement(piece.tag);
  if (piece.href) {
    node.href = piece.href;
    node.target = "_blank";
    node.rel = "noopener noreferrer";
  }
  if (piece.start) node.start = piece.start;
  if (piece.inside) node.append(...piece.inside.map(toNode));
  return node;
}

const BLOCKS = [
  { tag: "blockquote", begins: /^> ?/u },
  { tag: "ul", begins: /^[-*] (?=\S)/u },
  { tag: "ol", begins: /^(\d{1,9})\. (?=\S)/u },
];

function blocks(text) {
  const tree = [];
  let open = null; // the block that the next line may join
  let breaks = 0; // due before the next plain line; none beside a block, which stands apart anyway
  for (const line of text.split("\n")) {
    const kind = BLOCKS.find(({ begins }) => begins.test(line));
    if (kind) {
      if (open?.tag !== kind.tag) tree.push((open = begin(kind, line)));
      grow(open, inline(line.replace(kind.begins, "")));
      breaks = 0;
    } else {
      open = null;
      if (line) {
        for (; breaks > 0; breaks--) tree.push({ tag: "br" });
        tree.push(...inline(line));
      }
      if (line || breaks) breaks++;
    }
  }
  return tree;
}

function begin({ tag, begins }, line) {
  const [, start] = begins.exec(line);
  return tag === "ol" && start !== "1" ? { tag, inside: [], start: Number(start) } : { tag, inside: [] };
}

function grow(block, inside) {
  if (block.tag !== "blockquote") block.inside.push({ tag: "li", inside });
  else block.inside.push(...(block.inside.length ? [{ tag: "br" }] : []), ...inside);
}

function inline(line) {
  const tree = [];
  let from = 0;
  if (line.length <= MOST_MARKED) {
    const next = marksOf(line);
    for (let found = next(from); found; found = next(from)) {
      const { at, end, tag } = found;
      const within = line.slice(at + 1, end);
      tree.push(...links(line.slice(from, at)), { tag, inside: tag === "code" ? [within] : inline(within) });
      from = end + 1;
    }
  }
  tree.push(...links(line.slice(from)));
  return tree;
}

/** Finds the next pair of marks that holds: at words' edges, not round nothing, not inside a link. */
function marksOf(line) {
  const taken = [...line.matchAll(LINK)].map((link) => [link.index, link.index + urlOf(link[0]).length]);
  const isInLink = (at) => taken.some(([begin, end]) => at > begin && at < end);
  const unclosed = new Set(); // what one of these found no end for, no later one does
  return (from) => {
    for (let at = from; at < line.length; at++) {
      const mark = line[at];
      const tag = mark === "`" ? "code" : MARKS[mark];
      if (!tag || unclosed.has(mark) || isInLink(at) || !opens(line, at)) continue;
      for (let end = line.indexOf(mark, at + 2); end > 0; end = line.indexOf(mark, end + 1)) {
        if (!isInLink(end) && closes(line, end)) return { at, end, tag };
      }
      unclosed.add(mark);
    }
    return null;
  };
}

const opens = (line, at) =>
  !WORD.test(line[at - 1] ?? " ") && /\S/u.test(line[at + 1] ?? " ") && line[at + 1] !== line[at];

const closes = (line, at) =>
  /\S/u.test(line[at - 1]) && !WORD.test(line[at + 1] ?? " ");

function links(text) {
  const tree = [];
  let from = 0;
  for (const link of text.matchAll(LINK)) {
    const url = urlOf(link[0]);
    if (link.index > from) tree.push(text.slice(from, link.index));
    tree.push({ tag: "a", href: /^www\./iu.test(url) ? `https://${url}` : url, inside: [url] });
    from = link.index + url.length;
  }
  if (from < text.length) tree.push(text.slice(from));
  return tree;
}

/** Without the full stop of the sentence that it ends, or the bracket round it. */
function urlOf(found) {
  let length = found.length;
  while (LINK_ENDS.has(found[length - 1])) length--;
  const url = found.slice(0, length);
  return found[length] === ")" && url.includes("(") ? `${url})` : url;
}

/** How many emoji a text of nothing else has, up to three; else 0: they are shown large. */
export function emojiCount(text) {
  const letters = [];
  for (const { segment } of new Intl.Segmenter().segment(text.trim())) {
    if (letters.push(segment) > 3) return 0; // a long text is not cut to its end
  }
  const isEmoji = (letter) => /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F?/u.test(letter);
  return letters.every(isEmoji) ? letters.length : 0;
}
