"""The questions, in the order in which Meta's dashboard shows the answers."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from openparallax.app.setup import addresses, pasted
from openparallax.app.setup.answering import ask_engine
from openparallax.app.setup.answers import Answers, Offers
from openparallax.app.setup.engines import Engines
from openparallax.app.setup.meta import Meta, Number, words_of
from openparallax.app.setup.questions import Questions
from openparallax.app.setup.terminal import Terminal
from openparallax.app.setup.word import Level, Word

APPS: Final = "https://developers.facebook.com/apps"
SYSTEM_USERS: Final = "https://business.facebook.com/latest/settings/system_users"


class Dialogue:
    """Asks all of it; writes nothing.

    Args:
        given: What options said already.
        offers: What Enter takes.
        engines: Those that are installed.
        is_offline: Meta is not asked.

    Attributes:
        answers: What was answered so far, also while it goes on.
        number: The number as Meta shows it; None where that could not be asked.
    """

    def __init__(
        self,
        terminal: Terminal,
        given: Answers,
        offers: Offers,
        engines: Engines,
        *,
        is_offline: bool,
    ) -> None:
        self.answers = replace(given)
        self.number: Number | None = None
        self._given = given
        self._terminal = terminal
        self._ask = Questions(terminal, is_offline=is_offline)
        self._offers = offers
        self._engines = engines
        self._meta = Meta(given.graph_api_url or offers.graph_api_url, offers.graph_api_version)
        self._app_secret = self._token = ""
        self._accounts: tuple[str, ...] = ()

    def run(self) -> Answers:
        """Ask; KeyboardInterrupt and `Ended` end it at any question."""
        self._app()
        self._place()
        self._access_token()
        self._verify_token()
        self._address()
        self._contacts()
        self._engine()
        self.answers.is_unchecked = self._ask.is_unchecked
        return self.answers

    # -- the app ----------------------------------------------------------------------------------

    def _app(self) -> None:
        self._terminal.heading("1 of 6  The app")
        self._terminal.say(f"{APPS}: open your app, then App settings, Basic.")
        given = self._given
        while True:
            self.answers.app_id = self._ask.value(
                "App ID", pasted.app_id, offered=self._offer("app_id"), given=given.app_id
            )
            self.answers.app_secret, self._app_secret = self._ask.secret(
                "App secret (press Show beside it; not shown here)",
                pasted.app_secret,
                kept=self._offers.secrets.get("app_secret"),
                given=given.app_secret,
            )
            given = Answers()
            if not self._app_secret:
                return
            is_taken, _ = self._ask.check(
                lambda: self._meta.app(self.answers.app_id, self._app_secret), lambda said: said
            )
            if is_taken:
                return

    # -- the number -------------------------------------------------------------------------------

    def _place(self) -> None:
        self._terminal.heading("2 of 6  The number")
        self._terminal.say(
            "In the same app: Use cases, Customize, API Setup (on older pages WhatsApp, API Setup)."
            " Wanted are the ids that stand under your number, not the number."
        )
        if not (self._ask.is_offline or self._offer("phone_number_id")):
            self._terminal.say("Enter alone: choose from a list as soon as the token is there.")
        self._ids(may_wait=not self._ask.is_offline)

    def _ids(self, *, may_wait: bool, given: Answers | None = None) -> None:
        given = given or self._given
        answers, offer = self.answers, self._offer
        answers.phone_number_id = self._ask.value(
            "Phone number ID",
            partial(pasted.phone_number_id, app=answers.app_id),
            offered=offer("phone_number_id"),
            given=given.phone_number_id,
            may_wait=may_wait,
        )
        answers.waba_id = self._ask.value(
            "WhatsApp Business Account ID (newer pages: Messaging account ID)",
            partial(pasted.waba_id, app=answers.app_id, number=answers.phone_number_id),
            offered=offer("waba_id"),
            given=given.waba_id,
            may_wait=may_wait,
        )

    # -- the token --------------------------------------------------------------------------------

    def _access_token(self) -> None:
        self._terminal.heading("3 of 6  The token")
        self._terminal.say(f"{SYSTEM_USERS}: your system user, Generate token.")
        self._terminal.say(
            "Choose the app, expiry Never where it is offered, and tick whatsapp_business_messaging"
            " and whatsapp_business_management. (Before that: Assign assets, the app and the"
            " account.)"
        )
        given = self._given.access_token
        while True:
            self.answers.access_token, self._token = self._ask.secret(
                "Access token (not shown here)",
                pasted.access_token,
                kept=self._offers.secrets.get("access_token"),
                given=given,
            )
            given = ""
            if not self._token:
                break
            checked = self._ask.check(
                lambda: self._meta.token(self._token, self.answers.app_id, self._app_secret),
                words_of,
            )
            is_taken, said = checked
            if is_taken:
                self._accounts = said.accounts if said else ()
                break
        self._see_place()

    def _see_place(self) -> None:
        """See that number and account are there for the token, and belong together."""
        while True:
            answers = self.answers
            if not (answers.phone_number_id and answers.waba_id):
                self._pick(self._listed())
                continue
            if not self._token:
                return
            checked = self._ask.check(
                lambda: self._meta.place(
                    self._token, self.answers.phone_number_id, self.answers.waba_id, self._accounts
                ),
                words_of,
            )
            is_taken, said = checked
            if is_taken:
                self.number = said.number if said else None
                return
            self._pick(said.choices if said else ())

    def _listed(self) -> Sequence[Number]:
        accounts = [*filter(None, (self.answers.waba_id,)), *self._accounts]
        if not self._token or not accounts:
            return ()
        _, said = self._ask.check(lambda: self._meta.numbers(self._token, accounts), lambda _: ())
        found = said or ()
        wanted = self.answers.phone_number_id
        return [one for one in found if one.id == wanted] or found

    def _pick(self, choices: Sequence[Number]) -> None:
        """Let the person choose one of the numbers that the token shows, or type ids again."""
        if choices:
            self._terminal.say("These are the numbers that the token shows:")
            rows = [f"{one.shown}  {one.name}  (ID {one.id})" for one in choices]
            chosen = self._terminal.choose("Which one (0: none of them)", rows)
            if chosen is not None:
                one = choices[chosen]
                self.answers.phone_number_id, self.answers.waba_id = one.id, one.waba_id
                return
        elif not (self.answers.phone_number_id and self.answers.waba_id):
            self._terminal.say("The token shows no list of numbers, so the ids are needed.")
        self._ids(may_wait=False, given=Answers())

    # -- the way in -------------------------------------------------------------------------------

    def _verify_token(self) -> None:
        """Made here, unless there is one: a new one would have to be pasted at Meta again."""
        if not self._given.verify_token and "verify_token" not in self._offers.secrets:
            self.answers.verify_token = secrets.token_hex(16)

    def _address(self) -> None:
        self._terminal.heading("4 of 6  The way in")
        self._terminal.say(
            "The https address that Meta is to call, from the internet: of a proxy such as Caddy or"
            " nginx, or of a tunnel. Enter alone if you do not know it yet."
        )
        self.answers.public_url = self._ask.value(
            "Public address, such as https://bot.example.org",
            partial(addresses.public_url, path=self._offers.webhook_path),
            offered=self._offer("public_url"),
            given=self._given.public_url,
            may_wait=True,
        )

    # -- who may write ----------------------------------------------------------------------------

    def _contacts(self) -> None:
        self._terminal.heading("5 of 6  Who may write")
        offered = self._offers.allowed
        if self._given.allowed is not None:
            self.answers.allowed = self._given.allowed
            return
        self._terminal.say(
            "Telephone numbers with country code, in any spelling, with commas between them; your"
            ' own phone first. Others get no answer. "everybody" lets everybody write.'
        )
        shown = ", ".join(offered) if offered else "everybody" if offered == () else ""
        own = self.number.digits if self.number else ""
        while True:
            raw = self._terminal.ask("Numbers", shown).strip()
            if not raw and offered is not None:
                self.answers.allowed = offered
                return
            if raw.lower() in addresses.EVERYBODY:
                if self._terminal.confirm(
                    "Everybody who knows the number, and you pay for each answer: sure?",
                    is_usual=False,
                ):
                    self.answers.allowed = ()
                    return
                continue
            found, wrong = addresses.contacts([raw], own_number=own)
            for sentence in wrong:
                self._terminal.word(Word(Level.WRONG, sentence))
            if found and not wrong:
                self.answers.allowed = found
                self._terminal.word(Word(Level.WELL, f"Understood: {', '.join(found)}."))
                return
            if not wrong:
                self._terminal.say('At least one number, or "everybody".')

    # -- who answers ------------------------------------------------------------------------------

    def _engine(self) -> None:
        self._terminal.heading("6 of 6  Who answers")
        ask_engine(
            self._terminal, self._ask, self._engines, self._offers, self._given, self.answers
        )

    def _offer(self, name: str) -> str:
        """What Enter takes: what was typed a moment ago, else what was there."""
        return str(getattr(self.answers, name)) or self._offers.values.get(name, "")
