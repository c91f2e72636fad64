"""A terminal that answers itself, for dialogues within the tests' own process."""

from openparallax.app.setup.terminal import Terminal

ANSWERS = {
    "App ID": "1234567890",
    "App secret": "0123456789abcdef0123456789abcdef",
    "Phone number ID": "1234567890123456",
    "WhatsApp Business Account ID": "102290129340398",
    "Access token": "EAA" + "x" * 160,
    "Public address": "https://bot.example.org",
    "Numbers": "+49 1555 0000001",
    "Engine": "echo",
    "Write them": "",
}
"""What leads from the first question to the last, where nothing is there yet."""


class Scripted(Terminal):
    """Answers by the question's first words.

    Attributes:
        asked: Each question, with what was offered.
        shown: All that was said and can be found in one line.
    """

    def __init__(self, answers: dict[str, str], *, interrupted_at: int | None = None) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self._answers = answers
        self._interrupted_at = interrupted_at

    def ask(self, question: str, offered: str = "") -> str:
        if len(self.asked) == self._interrupted_at:
            raise KeyboardInterrupt
        self.asked.append((question, offered))
        return next(a for begin, a in self._answers.items() if question.startswith(begin))

    def ask_hidden(self, question: str, offered: str = "") -> str:
        return self.ask(question, offered)
