"""The questions about who answers: which engine, and what it must be given."""

from typing import Final

from openparallax.app.setup import pasted
from openparallax.app.setup.answers import Answers, Offers
from openparallax.app.setup.engines import Engines
from openparallax.app.setup.questions import Questions
from openparallax.app.setup.terminal import Terminal

KEYS: Final = "https://platform.claude.com/settings/keys"


def ask_engine(
    terminal: Terminal,
    ask: Questions,
    engines: Engines,
    offers: Offers,
    given: Answers,
    answers: Answers,
) -> None:
    """Ask, and put what was answered into ``answers``."""
    names = engines.names()
    terminal.say(f"{'; '.join(f'{name}: {about}' for name, about in names.items())}.")

    def judge(text: str) -> pasted.Pasted:
        for name in (text.strip(), text.strip().lower()):
            if name in names:
                return pasted.Pasted(name)
        raise pasted.Wrong(f"There is no engine of that name here: {', '.join(names)}.")

    before = offers.values.get("engine", "")
    name = ask.value("Engine", judge, offered=before or "anthropic", given=given.engine)
    answers.engine, answers.engine_secrets = name, {}
    if name == "anthropic":
        terminal.say(f"Its key: {KEYS}, Create key.")
    for wanted in engines.wants(name):
        if wanted.is_secret:
            _ask_secret(ask, engines, offers, given, answers, wanted.name)
        elif name != before:
            answers.engine_settings[wanted.name] = ask.value(
                f"{wanted.name} ({wanted.about})", pasted.plain
            )


def _ask_secret(
    ask: Questions, engines: Engines, offers: Offers, given: Answers, answers: Answers, name: str
) -> None:
    engine = answers.engine
    is_same = engine == offers.values.get("engine")
    kept = offers.secrets.get(f"engine.{name}") if is_same else None
    kept = kept or engines.of_environment(engine, name)
    typed = "" if answers.engine_secrets else next(iter(given.engine_secrets.values()), "")
    is_taken = False
    while not is_taken:
        new, value = ask.secret(
            f"{name} (not shown here)", pasted.engine_key, kept=kept, given=typed
        )
        typed = ""
        if new:
            answers.engine_secrets = {**answers.engine_secrets, name: new}
        is_taken = not value or _is_taken(ask, engines, answers, value, name)


def _is_taken(ask: Questions, engines: Engines, answers: Answers, value: str, name: str) -> bool:
    settings = {**answers.engine_settings, **answers.engine_secrets, name: value}
    taken, _ = ask.check(
        lambda: engines.ask(answers.engine, settings), lambda said: said, is_of_meta=False
    )
    return taken
