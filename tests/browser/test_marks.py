"""WhatsApp's marks, as the page shows them: a text, and the markup that its nodes amount to."""

import pytest

from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer">{1}</a>'
MARKED = {
    "plain": "plain",
    "": "",
    "*bold*": "<strong>bold</strong>",
    "_italic_": "<em>italic</em>",
    "~gone~": "<s>gone</s>",
    "`code`": "<code>code</code>",
    "```mono```": "<pre>mono</pre>",
    "a ```two\nlines``` b": "a <pre>two\nlines</pre> b",
    "```\nprint(*a*)\n```": "<pre>print(*a*)</pre>",
    "*_both_*": "<strong><em>both</em></strong>",
    "*bold _and_ more*": "<strong>bold <em>and</em> more</strong>",
    "`*not bold*`": "<code>*not bold*</code>",
    "* not bold*": "<ul><li>not bold*</li></ul>",
    "*not bold *": "*not bold *",
    "2*3*4": "2*3*4",
    "snake_case_name": "snake_case_name",
    "(*bold*)!": "(<strong>bold</strong>)!",
    "**bold**": "*<strong>bold</strong>*",
    "*one* and *two*": "<strong>one</strong> and <strong>two</strong>",
    "*over\nlines*": "*over<br>lines*",
    "* ": "* ",
    "**": "**",
    "```": "```",
    "``````": "``````",
    "one\ntwo": "one<br>two",
    "one\n\ntwo": "one<br><br>two",
    "- a\n- *b*": "<ul><li>a</li><li><strong>b</strong></li></ul>",
    "* a\n* b": "<ul><li>a</li><li>b</li></ul>",
    "1. a\n2. b": "<ol><li>a</li><li>b</li></ol>",
    "3. c": '<ol start="3"><li>c</li></ol>',
    "3.c": "3.c",
    "-a": "-a",
    "> said\n> twice": "<blockquote>said<br>twice</blockquote>",
    "list:\n- a\nend": "list:<ul><li>a</li></ul>end",
    "list:\n\n- a\n\nend": "list:<ul><li>a</li></ul>end",
    "see https://example.com/a_b_c.": "see "
    + LINK.format("https://example.com/a_b_c", "https://example.com/a_b_c")
    + ".",
    "(www.example.com)": "(" + LINK.format("https://www.example.com", "www.example.com") + ")",
    "https://example.com/x_(y)": LINK.format(
        "https://example.com/x_(y)", "https://example.com/x_(y)"
    ),
    "*https://example.com*": "<strong>"
    + LINK.format("https://example.com", "https://example.com")
    + "</strong>",
    "javascript:alert(1)": "javascript:alert(1)",
    "<b>x</b> & y": "&lt;b&gt;x&lt;/b&gt; &amp; y",
    "*مرحبا*": "<strong>مرحبا</strong>",
    "*\U0001f600*": "<strong>\U0001f600</strong>",
}
EMOJI = {
    "\U0001f600": 1,
    "❤️": 1,
    "👍🏽🇩🇪👩‍👩‍👧": 3,
    "😀😀😀😀": 0,
    "😀 a": 0,
    "": 0,
    "1": 0,
    "#": 0,
}
SCRIPT = """async ([texts, emoji]) => {
  const { emojiCount, flat, render } = await import("/phone/static/marks.js");
  const shown = (text) => {
    const box = document.createElement("div");
    box.append(render(text));
    return box.innerHTML;
  };
  return [texts.map(shown), emoji.map(emojiCount), texts.map(flat)];
}"""


async def test_marks(window: Window) -> None:
    shown, counts, flat = await window.page.evaluate(SCRIPT, [list(MARKED), list(EMOJI)])
    assert dict(zip(MARKED, shown, strict=True)) == MARKED
    assert dict(zip(EMOJI, counts, strict=True)) == EMOJI
    said = dict(zip(MARKED, flat, strict=True))
    assert said["list:\n- a\nend"] == "list: a end"
    assert said["*bold _and_ more*"] == "bold and more"


async def test_any_text_is_read_in_little_time(window: Window) -> None:
    """Nothing that a stranger sends holds the page up, however much of it there is."""
    texts = ("*a ", "_", "*a_b~", "`", "www.", "> ")
    slower: list[float] = await window.page.evaluate(
        """async (texts) => {
          const { parse } = await import("/phone/static/marks.js");
          const took = (text) => {
            const began = performance.now();
            parse(text);
            return performance.now() - began;
          };
          const best = (text) => Math.min(took(text), took(text), took(text));
          const of = (text, length) => best(text.repeat(length / text.length));
          return texts.map((text) => of(text, 4000) / (of(text, 1000) + 1));
        }""",
        texts,
    )
    assert [round(times) for times in slower if times > 12] == []  # squared it would be 16


async def test_a_long_text_is_not_looked_through_for_what_it_cannot_be(window: Window) -> None:
    """A link of brackets took its square; a text of emoji was cut to its end at each drawing."""
    texts = ["http://a" + ")" * 60_000 + "a", "\U0001f600" * 30_000, "_a_ " * 16_000]
    seen = await window.page.evaluate(
        """async (texts) => {
          const { emojiCount, flat } = await import("/phone/static/marks.js");
          return texts.map((text) => [flat(text) === text.trim(), emojiCount(text)]);
        }""",
        texts,
    )
    assert seen == [[True, 0]] * 3
