import subprocess
import sys

import pytest

from openparallax.rendering import document
from openparallax.rendering.markdown import LONGEST, render
from tests.rendering import phone

GAP = phone.SEPARATOR

MARKS = {
    "bold": ("**bold** and __bold__", "*bold* and *bold*"),
    "italic": ("*it* and _it_", "_it_ and _it_"),
    "both": ("***both*** and **_both_**", "*_both_* and *_both_*"),
    "struck": ("~~no~~ yes", "~no~ yes"),
    "one within itself": ("**a **b** c**", "*a b c*"),
    "one within another": ("**a *b* c**", "*a _b_ c*"),
    "over lines": ("**one\ntwo** three", "*one*\n*two* three"),
    "punctuation outside": ('(**a**), "*b*": **c**.', '(*a*), "_b_": *c*.'),
    "a colon inside, a letter outside": ("**Note:**then", "*Note*:then"),
    "a part of a word": ("un**believ**able, **10**th", "unbelievable, 10th"),
    "a struck part of a word": ("re~~dis~~cover", f"re~~{GAP}dis~~cover"),
    "in Chinese": ("这是**重点**内容\uff0c**Python**是", "这是 *重点* 内容\uff0c*Python* 是"),
    "in Japanese, with brackets": ("**「重点」**です", "*「重点」* です"),
    "in Chinese, with a colon": ("**注意\uff1a**请看", "*注意\uff1a* 请看"),
    "in Hindi, before a vowel sign": ("**क**ि", "कि"),
    "arithmetic": ("2*3*4 = 24, a*b + c*d", "2*3*4 = 24, a*b + c*d"),
    "arithmetic over lines": ("2*3\n4*5", "2*3\n4*5"),
    "spaced stars": ("a * b * c", "a * b * c"),
    "names": ("snake_case_name file_name.py MAX_N", "snake_case_name file_name.py MAX_N"),
    "wildcards": ("*.py and *.txt", "*.py and *.txt"),
    "round code alone": ("**`code`** and **some `code`**", "`code` and *some `code`*"),
}

LITERALS = {
    "stars": (r"\*a\* b", f"*{GAP}a* b"),
    "underscores": (r"\_a\_", f"_{GAP}a_"),
    "tildes": (r"\~a\~ and ~b~", f"~{GAP}a~ and ~{GAP}b~"),
    "backticks": (r"\`a\`", f"`{GAP}a`"),
    "one star": (r"4\*, \*", "4*, *"),
    "stars that no one takes for marks": (r"f\*\*\*\* 2 \* 3 \* 4", "f**** 2 * 3 * 4"),
    "before bold": (r"\*a **b**", f"*{GAP}a *b*"),
    "within bold": (r"**a\* b** c", f"*a{GAP}* b* c"),
    "behind bold": (r"**a** b\*", "*a* b*"),
    "three backticks": (r"\`\`\`", f"`{GAP}`{GAP}`"),
    "a dunder": ("__init__.py and self.__dict__ and __main__", None),
    "powers": ("x**2 + y**2", f"x**{GAP}2 + y**2"),
    "a list": (r"\- a", f"{GAP}- a"),
    "a number": (r"1\. a", f"{GAP}1. a"),
    "a quote": (r"\> a", f"{GAP}> a"),
    "a quote by entity": ("&gt; a", f"{GAP}> a"),
    "no list": (r"\-a 1\.5 \>\>", "-a 1.5 >>"),
    "a heading": (r"\# a", "# a"),
}

BLOCKS = {
    "headings": ("# A\n\n###### B\ntext", "*A*\n\n*B*\ntext"),
    "bold in a heading": ("## A **b** _c_ `d`", "*A b _c_ `d`*"),
    "underlined headings": ("A\n===\n\nB\n---", "*A*\n\n*B*"),
    "a rule close under text": ("a\nb\n---\nc", "a\nb\n———\nc"),
    "rules": ("a\n\n***\n\nb", "a\n\n———\n\nb"),
    "line ends": ("a\nb  \nc\\\nd<br>e<br/>f", "a\nb\nc\nd\ne\nf"),
    "Windows line ends": ("a\r\n\r\n**b**\r\n- c\r\n", "a\n\n*b*\n- c"),
    "many blank lines": ("\n\n a\n\n\n\nb\n\n", "a\n\nb"),
    "bullets": ("* a\n* b\n\n- c", "- a\n- b\n\n- c"),
    "numbers": ("3. a\n4. b", "3. a\n4. b"),
    "numbers all alike": ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
    "numbers with gaps": ("1. a\n4. b\n7. c", "1. a\n4. b\n7. c"),
    "numbers with brackets": ("1) a\n2) b", "1. a\n2. b"),
    "numbers that are none": ("007. Bond", "007. Bond"),
    "a year": ("1986. A year.", "1986. A year."),
    "nested lists": (
        "- a\n  - b\n    - c\n      - d\n  1. e\n- f",
        "- a\n  ◦ b\n    ▪ c\n      ▪ d\n  1. e\n- f",
    ),
    "items of paragraphs": ("1. a\n\n   b\n\n2. c", "1. a\n\n  b\n\n2. c"),
    "tasks": ("- [ ] a\n- [x] **b**\n1. [X] c", "⬜ a\n✅ *b*\n1. ✅ c"),
    "no task": ("- [ ]\n- [y] a\n\n[x] b", "- [ ]\n- [y] a\n\n[x] b"),
    "signs that are no lists": ("+", "+"),
    "a number alone": ("5.", "5."),
    "a signed number": ("+ 5", "+ 5"),
    "a quote": ("> a\n> b\nc\n\nd", "> a\n> b\n> c\n\nd"),
    "paragraphs of a quote": ("> a\n>\n> b", "> a\n\n> b"),
    "nested quotes": ("> a\n> > b", "> a\n> > b"),
    "a list in a quote": ("> - a\n>   - b\n> 1. **c**", "> - a\n>   ◦ b\n> 1. *c*"),
    "a quote in a list": ("- a\n\n  > b", "- a\n\n> b"),
    "code in a quote": ("> ```py\n> a = 1\n>   b\n> ```", "> ```a = 1```\n> ```  b```"),
    "code": ("```python\n*a*  \n\n  _b_\n```\nc", "```\n*a*  \n\n  _b_\n```\nc"),
    "code by tildes, never ended": ("~~~\na", "```\na\n```"),
    "code by indent": ("a\n\n    b_c_d\n      e", "a\n\n```\nb_c_d\n  e\n```"),
    "code in a list": ("- a\n  ```\n  b\n    c\n  ```\n- d", "- a\n```\nb\n  c\n```\n- d"),
    "no code": ("```\n```", ""),
    "code that holds fences": ("````\n```\na\n```\n````", f"```\n``{GAP}`\na\n``{GAP}`\n```"),
    "inline code": ("`*a*` and `` `b` `` and ``c`d``", "`*a*` and ``` `b` ``` and ```c`d```"),
    "HTML": ('<b class="x">*a*</b> <!-- c -->', '<b class="x">_a_</b> <!-- c -->'),
    "entities": ("5 &lt; 6 &amp; &copy; &#42;", "5 < 6 & © *"),
    "escapes": (r"\[a\] \\ \a", "[a] \\ \\a"),
    "footnotes": ("a[^1] **b**\n\n[^1]: c\n[^2]: https://d.e", None),
    "nothing": (" \n\t\n", ""),
}

LINKS = {
    "a link": ("[a](https://b.c/d_e_f)", "a: https://b.c/d_e_f"),
    "with a title": ('[a](https://b.c "d")', "a: https://b.c"),
    "umlauts": ("[a](https://b.c/Köln_ä)", "a: https://b.c/Köln_ä"),
    "the same": ("[https://b.c](https://b.c)", "https://b.c"),
    "the same but for its scheme": ("[www.b.c](https://b.c/)", "https://b.c/"),
    "in angles": ("<https://b.c/_d_>", "https://b.c/_d_"),
    "mail": ("[a@b.c](mailto:a@b.c) <d@e.f> [Ann](mailto:a@b.c)", "a@b.c d@e.f Ann: a@b.c"),
    "phone": ("[+49 30 1](tel:+49301) [us](tel:1)", "+49 30 1 us: 1"),
    "in the page": ("[a](#b)", "a"),
    "nowhere": ("[a]()", "a"),
    "after a question": ("[Why?](https://b.c)", "Why? https://b.c"),
    "before words": ("[a](https://b.c)s, [d](https://e.f).", "a: https://b.c s, d: https://e.f."),
    "in brackets": ("([a](https://b.c))", "(a: https://b.c)"),
    "in Chinese": ("看[文档](https://b.c)。", "看文档: https://b.c 。"),
    "bold": ("**[a](https://b.c)** **d https://e.f g**", "*a:* https://b.c *d* https://e.f *g*"),
    "with marks": ("[**a** `b`](https://b.c)", "*a* `b`: https://b.c"),
    "script": ("[a](javascript:b)", "a: javascript:b"),
    "an image": ("![a *b*](https://b.c/d.png) ![](https://e.f)", None),
    "an image that leads on": ("[![a](https://b.c)](https://d.e)", "a: https://d.e"),
    "bare": ("https://b.c/*d*/_e_/~~f~~?g=h_i_j *k*", "https://b.c/*d*/_e_/~~f~~?g=h_i_j _k_"),
    "bare and bold": ("**https://b.c/d** (https://e.f/g_(h))", None),
    "bare before Chinese": ("见https://b.c。**重点**", "见https://b.c。*重点*"),
    "references": ("[a][1] and [b]\n\n[1]: https://c.d", "[a][1] and [b]\n\n[1]: https://c.d"),
}

OTHERS = {
    "a dunder": f"_{GAP}_{GAP}init__{GAP}.py and self._{GAP}_{GAP}dict__ and _{GAP}_{GAP}main__",
    "footnotes": "a[^1] *b*\n\n[^1]: c\n[^2]: https://d.e",
    "an image": "a _b_: https://b.c/d.png https://e.f",
    "bare and bold": "https://b.c/d (https://e.f/g_(h))",
}

CASES = [
    (name, *case) for cases in (MARKS, LITERALS, BLOCKS, LINKS) for name, case in cases.items()
]


@pytest.mark.parametrize(("name", "markdown", "shown"), CASES, ids=[case[0] for case in CASES])
def test_a_construct(name: str, markdown: str, shown: str | None) -> None:
    expected = OTHERS[name] if shown is None else shown
    assert render(markdown) == expected
    assert document.render_document(markdown) == expected


@pytest.mark.parametrize("markdown", [case[0] for case in LITERALS.values()])
def test_what_is_literal_has_no_marks_on_a_phone(markdown: str) -> None:
    meant = ["b"] if "**b**" in markdown else ["a* b"] if "**a" in markdown else []
    meant = ["a"] if markdown.startswith("**a**") else meant
    assert [words for _, words in phone.marked(render(markdown))] == meant


def test_a_narrow_table_is_columns() -> None:
    markdown = "| A | Price |\n|---|---:|\n| **b** | 4.99 |\n| `c` | 19.99 |"
    assert render(markdown) == "```\nA  Price\n-  -----\nb   4.99\nc  19.99\n```"


def test_a_wide_table_is_a_list() -> None:
    markdown = "|Name|Where it is used|\n|-|-|\n|*a*|in every room of the house|\n|b||"
    assert render(markdown) == (
        "*Name*: _a_\n*Where it is used*: in every room of the house\n\n"
        "*Name*: b\n*Where it is used*: \u2013"
    )


@pytest.mark.parametrize("cell", ["你好", "مرحبا", "👍", "नमस्ते", "[a](https://b.c)", "https://b.c"])
def test_columns_are_for_what_stays_in_them(cell: str) -> None:
    assert "```" not in render(f"|A|\n|-|\n|{cell}|")
    assert "*A*: " in render(f"|A|\n|-|\n|{cell}|")


def test_a_table_of_headers_only_is_a_line() -> None:
    assert render("|A|B|\n|-|-|") == "*A* | *B*"


def test_headers_are_not_said_again_in_a_thousand_rows() -> None:
    header = "very long header " * 10
    shown = render(f"|{header}|B|\n|-|-|\n" + "|a|b|\n" * 1000)
    assert shown.startswith(f"*{header.strip()}* | *B*\n\na | b\n")
    assert len(shown) < 10_000


def test_a_table_in_a_quote_stays_in_it() -> None:
    assert render("> |A|B|\n> |-|-|\n> |c|d|") == "> ```A  B```\n> ```-  -```\n> ```c  d```"


def test_what_is_nested_too_deeply_comes_back_whole() -> None:
    markdown = "".join("  " * level + f"- **a{level}**\n" for level in range(1000))
    with pytest.raises(document.NotShownWhole):
        document.render_document(markdown)
    assert render(markdown) == markdown.strip("\n")
    nine = "".join("  " * level + f"- **a{level}**\n" for level in range(9))
    assert render(nine).count(" *a") == 9


def test_what_is_too_long_comes_back_as_it_is() -> None:
    markdown = "**a** " * (LONGEST // 6 + 1)
    assert render(f"\n{markdown}") == markdown


def test_an_error_of_the_parser_costs_the_marks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(markdown: str) -> str:
        raise RecursionError

    monkeypatch.setattr(document, "render_document", fail)
    assert render("\n**a**\n") == "**a**"


def test_the_parser_is_imported_for_markdown_only() -> None:
    code = (
        "import sys; from openparallax.rendering.markdown import render;"
        "before = 'markdown_it' in sys.modules; render('a');"
        "print(before, 'markdown_it' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.split() == ["False", "True"]
