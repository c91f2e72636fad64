"""From the engine's words to what WhatsApp shows: its marks, in parts that fit. Pure.

Markdown comes in (of an engine that says it writes Markdown) and goes through ``markdown.render``;
any text goes through ``split.split``. Rendering always follows the pipeline and is no stage.
Dispatch may enter.

Markdown is read by a parser, not by patterns: what a star means depends on all that stands round
it. What WhatsApp cannot show is said in words, never dropped. It has no way to escape a mark, so
``marks`` knows, as well as it is known outside, what WhatsApp takes for one; ``split`` reads its
texts by the same rules.
"""
