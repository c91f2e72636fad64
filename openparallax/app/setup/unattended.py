"""Without questions: all from options, files and variables; what is missing is told at once."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from openparallax.app.setup import addresses, pasted
from openparallax.app.setup.answers import Answers, Offers
from openparallax.app.setup.engines import Engines
from openparallax.app.setup.meta import Meta, Number
from openparallax.app.setup.pasted import Wrong
from openparallax.app.setup.questions import Judge
from openparallax.app.setup.word import Level, Word
from openparallax.errors import Refusal

_USAGE: Final = 2
_OPTIONS: Final = {
    "app_id": "--app-id",
    "app_secret": "--app-secret-file, or $WHATSAPP_APP_SECRET",
    "phone_number_id": "--phone-number-id",
    "waba_id": "--waba-id",
    "access_token": "--token-file, or $WHATSAPP_ACCESS_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """Answers that nobody was asked for.

    Attributes:
        warnings: Sentences: what was mended, what is odd, what could not be checked.
    """

    answers: Answers
    number: Number | None
    warnings: tuple[str, ...]


def settle(
    given: Answers, offers: Offers, engines: Engines, *, is_offline: bool, how_to_ask: str
) -> Settled:
    """Make answers of what is there; ``how_to_ask`` says how to be asked instead.

    Raises:
        Refusal: Something is missing or cannot be that (2); Meta says that it is wrong (1).
    """
    secret = dict(given.engine_secrets)
    answers = replace(given, is_unchecked=is_offline, engine_secrets=secret)
    filling = _Filling(answers, offers, engines)
    filling.fill()
    notes = filling.notes
    if filling.missing or filling.wrong:
        lines = [*(f"not given: {one}" for one in filling.missing), *filling.wrong]
        raise Refusal(
            "nothing was written:\n" + "\n".join(f"  {line}" for line in lines) + f"\n{how_to_ask}",
            exit_code=_USAGE,
        )
    number, words = (None, []) if is_offline else asyncio.run(_ask(answers, offers, engines))
    bad = [word.says for word in words if word.level is Level.WRONG]
    if bad:
        told = "\n".join(f"  {one}" for one in bad)
        raise Refusal(f"nothing was written, since Meta or the engine's provider says:\n{told}")
    answers.is_unchecked |= any(word.level is Level.UNKNOWN for word in words)
    notes += [word.says for word in words if word.level is not Level.WELL]
    return Settled(answers, number, tuple(notes))


class _Filling:
    """Puts in what is offered and judges all of it; collects what is missing, wrong and odd."""

    def __init__(self, answers: Answers, offers: Offers, engines: Engines) -> None:
        self.missing: list[str] = []
        self.wrong: list[str] = []
        self.notes: list[str] = []
        self._answers = answers
        self._offers = offers
        self._engines = engines

    def fill(self) -> None:
        for name, judge in self._judges().items():
            self._one(name, judge)
        if not self._answers.verify_token and "verify_token" not in self._offers.secrets:
            self._answers.verify_token = secrets.token_hex(16)
        self._contacts()
        self._engine()

    def _judges(self) -> dict[str, Judge]:
        app, number = self._answers.app_id, self._answers.phone_number_id
        return {
            "app_id": pasted.app_id,
            "app_secret": pasted.app_secret,
            "phone_number_id": partial(pasted.phone_number_id, app=app),
            "waba_id": partial(pasted.waba_id, app=app, number=number),
            "access_token": pasted.access_token,
            "verify_token": pasted.verify_token,
            "public_url": partial(addresses.public_url, path=self._offers.webhook_path),
        }

    def _one(self, name: str, judge: Judge) -> None:
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        kept = self._offers.secrets.get(name)
        text = getattr(self._answers, name) or self._offers.values.get(name, "")
        if not text and kept is not None and not kept.is_of_file:
            text = kept.value
        if text:
            setattr(self._answers, name, self._taken(text, judge, option.partition(",")[0]))
        elif name in _OPTIONS and kept is None:
            self.missing.append(option)

    def _taken(self, text: str, judge: Judge, option: str) -> str:
        try:
            found = judge(text)
        except Wrong as why:
            (self.notes if why.is_doubt else self.wrong).append(f"{option}: {why}")
            return text.strip() if why.is_doubt else ""
        self.notes += [f"{option}: {note}" for note in found.notes]
        return found.value

    def _contacts(self) -> None:
        answers = self._answers
        if answers.allowed is not None:
            answers.allowed, strange = addresses.contacts(answers.allowed)
            self.wrong += [f"--allow: {one}" for one in strange]
            return
        answers.allowed = self._offers.allowed
        if answers.allowed is None:
            self.missing.append("--allow NUMBER, or --allow-everybody")

    def _engine(self) -> None:
        answers, before = self._answers, self._offers.values.get("engine", "")
        answers.engine = answers.engine or before or "anthropic"
        if answers.engine not in self._engines.names():
            known = ", ".join(self._engines.names())
            self.wrong.append(f"--engine: there is no engine of that name: {known}.")
            return
        key = next(iter(answers.engine_secrets.values()), "")
        answers.engine_secrets = {}
        for wanted in self._engines.wants(answers.engine):
            if wanted.is_secret:
                self._engine_secret(wanted.name, key, is_same=answers.engine == before)
                key = ""
            elif answers.engine != before:
                self.wrong.append(
                    f"--engine: {answers.engine} wants {wanted.name} ({wanted.about}), which no"
                    " option gives: run init on a terminal, or write the configuration by hand."
                )
        if key:
            self.notes.append(f"--api-key-file: {answers.engine} takes no key; it was left out.")

    def _engine_secret(self, name: str, key: str, *, is_same: bool) -> None:
        secret = self._answers.engine_secrets
        kept = self._offers.secrets.get(f"engine.{name}") if is_same else None
        found = self._engines.of_environment(self._answers.engine, name)
        if not key and kept is None and found is not None:
            key = found.value
        if key:
            secret[name] = self._taken(key, pasted.engine_key, "--api-key-file")
        elif kept is None:
            self.missing.append(
                f"--api-key-file (for {self._answers.engine}, or its variable), or --engine echo"
            )


async def _ask(
    answers: Answers, offers: Offers, engines: Engines
) -> tuple[Number | None, Sequence[Word]]:
    """What Meta and the engine's provider say, all at the same time."""

    def value(name: str) -> str:
        kept = offers.secrets.get(name)
        return getattr(answers, name) or (kept.value if kept else "")

    meta = Meta(answers.graph_api_url or offers.graph_api_url, offers.graph_api_version)
    secret, token = value("app_secret"), value("access_token")
    words: list[Word] = []
    number = None
    if secret:
        words += await meta.app(answers.app_id, secret)
    if token and not words_say_no(words):
        of_token = await meta.token(token, answers.app_id, secret)
        words += of_token.said
        if not words_say_no(of_token.said):
            place = await meta.place(
                token, answers.phone_number_id, answers.waba_id, of_token.accounts
            )
            number = place.number
            words += place.said
            if words_say_no(place.said):
                words += [
                    Word(
                        Level.WRONG,
                        f"There is {one.shown} {one.name} (--phone-number-id"
                        f" {one.id} --waba-id {one.waba_id}).",
                    )
                    for one in place.choices
                ]
    if answers.engine_secrets:
        words += await engines.ask(answers.engine, answers.engine_secrets)
    return number, words


def words_say_no(words: Sequence[Word]) -> bool:
    """Whether to ask further makes no sense."""
    return any(word.level in (Level.WRONG, Level.UNKNOWN) for word in words)
