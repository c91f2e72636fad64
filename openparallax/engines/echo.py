"""The engine that says back what was said: for trying the house out, and for its tests."""

from openparallax.plugin import PluginSettings, Reply, Tools, Turn


class Echo:
    """Answer with exactly the text of the turn."""

    keeps_content = False
    writes_markdown = False

    def __init__(self, settings: PluginSettings, tools: Tools) -> None:
        del settings, tools  # every engine is made this way; this one needs nothing

    async def answer(self, turn: Turn) -> Reply:
        return Reply(text=turn.text)

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
