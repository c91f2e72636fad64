"""An engine that says back what was said, and a stage that says it in capitals."""

from dataclasses import replace

from openparallax.plugin import Next, PluginSettings, Reply, SecretStr, Tools, Turn


class Parrot:
    """Say back what was said."""

    class Settings(PluginSettings):
        name: str = "Polly"
        most_words: int = 100
        seed_key: SecretStr = SecretStr("")
        diary: bool = False

    writes_markdown = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._log = tools.log
        self.keeps_content = settings.diary  # said by the one that was made, not by the class

    async def answer(self, turn: Turn) -> Reply:
        words = turn.text.split()[: self._settings.most_words]
        said = f"{self._settings.name} says: {' '.join(words)}"
        return Reply(text=said, usage={"words": len(words)}, model="parrot-1")

    async def close(self) -> None:
        self._log.info("parrot_closed")


class Shout:
    """Answer in capitals."""

    class Settings(PluginSettings):
        mark: str = "!"

    keeps_content = False

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._log = tools.log

    async def __call__(self, turn: Turn, call_next: Next) -> Reply:
        reply = await call_next(turn)
        return replace(reply, text=reply.text and reply.text.upper() + self._settings.mark)

    def close(self) -> None:
        self._log.info("shout_closed")
