"""Markdown, as a language model writes it, to what WhatsApp shows."""

LONGEST = 65_536
"""Characters that are read as Markdown: sixteen messages. Reading takes some 80 microseconds a
character at worst, on the loop that everybody shares; what is longer is sent as it was written."""


def render(markdown: str) -> str:
    """Write ``markdown`` in WhatsApp's marks; what has none is shown in the nearest plain way.

    Nothing that can be read is lost, and nothing reads as bold, italic, struck, code, list or
    quote that was not meant to. A single line end stays one, as models mean it. Never raises: what
    cannot be read as Markdown, or is too long or too deeply nested, comes back as it is, without
    the blank lines round it.

    Args:
        markdown: May hold lone surrogates.

    Returns:
        The text, of any length, to be split; "" if nothing is to be seen. Zero-width spaces stand
        where a pair of stars, say, would be taken for a mark: WhatsApp has no other escape.

    Source:
        CommonMark 0.31 with tables and strikethrough, less reference definitions, which would take
        footnotes away, and HTML, which is shown as text.
    """
    if len(markdown) <= LONGEST:
        # Late, since the parser's import takes 30 ms that engines without Markdown need not spend.
        from openparallax.rendering.document import NotShownWhole, render_document  # noqa: PLC0415

        try:
            return render_document(markdown)
        except NotShownWhole:
            pass
        except Exception:  # noqa: BLE001, S110 - words with their Markdown are better than silence
            pass
    return markdown.strip("\r\n") if not markdown.isspace() else ""
