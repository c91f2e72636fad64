"""What became of a webhook, in a few words for each noun: the lines of ``corpus.txt``."""

from collections.abc import Iterator
from pathlib import Path

from openparallax.model.messages import Details, Echo, Inbound, News, Notification, Relink, Sender
from openparallax.model.text import Text

TABLE = Path(__file__).parent / "corpus.txt"


def load_table() -> dict[str, list[str]]:
    """Name of the sample -> what is expected of it; further lines of one are indented."""
    table: dict[str, list[str]] = {}
    name = ""
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if not line.startswith(" "):
            name, _, line = line.partition(" ")  # noqa: PLW2901 - the rest of it is as any other
            table[name] = []
        table[name].append(line.strip())
    return table


def outcomes_of(notification: Notification) -> list[str]:
    """One line for each noun and each count, in the order of the noun's fields."""
    return [" ".join(line) for line in _lines(notification)]


def _lines(notification: Notification) -> Iterator[Iterator[str]]:
    for message in notification.messages:
        yield _message(message)
    for status in notification.statuses:
        code = [] if status.code is None else [str(status.code)]
        mine = ["ours"] if status.callback else []
        yield iter(["status", status.status.name, *code, *mine])
    for echo in notification.echoes:
        yield _echo(echo)
    for relink in notification.relinks:
        yield _relink(relink)
    for preference in notification.preferences:
        wants = "marketing" if preference.wants_marketing else "no marketing"
        yield iter(["preference", _person(preference.sender), "wants", wants])
    for news in notification.news:
        yield _news(news)
    for name, times in notification.unsupported.items():
        yield iter(["counted", name, *([] if times == 1 else [str(times)])])


def _message(message: Inbound) -> Iterator[str]:
    yield from (message.kind.name, message.type)
    yield from _words(message.text)
    if message.details is not None:
        yield from _details(message.details)
    if message.original:
        yield f"original={_end(message.original)}"


def _details(details: Details) -> Iterator[str]:
    if details.choice_id:
        yield f"choice={details.choice_id}"
    if details.quoted:
        yield f"quoted={_end(details.quoted)}"
    if details.is_forwarded:
        yield "forwarded often" if details.is_forwarded_often else "forwarded"
    if details.product:
        yield f"product={details.product}"
    if details.referral:
        yield f"referral={','.join(details.referral)}"


def _echo(echo: Echo) -> Iterator[str]:
    yield from ("echo", echo.type, "to", _person(echo.to))
    yield from _words(echo.text)
    if echo.original:
        yield f"original={_end(echo.original)}"


def _relink(relink: Relink) -> Iterator[str]:
    yield from ("relink", _person(relink.old), "->", _person(relink.new))
    if relink.phone_number_id is None:
        yield "for all"


def _news(news: News) -> Iterator[str]:
    yield from ("news", news.weight.name, news.field, news.event)
    if news.subject:
        yield f"of {news.subject}"
    yield from (f"{name}={value}" for name, value in news.facts.items())


def _words(text: Text | None) -> list[str]:
    return [] if text is None else [ascii(text.words)]


def _person(person: Sender) -> str:
    ids = (person.wa_id, person.user_id, person.parent_user_id)
    return "/".join(one for one in ids if one is not None)


def _end(an_id: str) -> str:
    return an_id[-4:]
