"""Reading a webhook: whatever it is, it is read soundly, and its good parts come out."""

import json
from collections.abc import Iterator
from dataclasses import replace

from openparallax.model.messages import Inbound, Notification
from openparallax.model.text import Text
from openparallax.webhook.body import Unreadable
from openparallax.webhook.payload import parse_body, parse_notification
from tests.fuzz import seeds
from tests.fuzz.json_mutation import mutate_json
from tests.fuzz.target import Target
from tests.webhook.soundness import assert_sound

_LONGEST = 65_536


def read(data: bytes) -> Notification | None:
    """What the door would be handed; None where it is not JSON."""
    try:
        body = parse_body(data)
    except Unreadable as refusal:
        assert refusal.__cause__ is None, "a decoder's exception holds the whole body"
        assert refusal.__context__ is None, "a decoder's exception holds the whole body"
        assert refusal.args == Unreadable().args, "it quotes nothing"
        return None
    return parse_notification(body)


def try_payload(data: bytes) -> None:
    """Nothing is raised; what comes out can be stored, is the same each time and shows no words."""
    found = read(data)
    if found is None:
        return
    assert_sound(found)
    assert read(data) == found, "read twice, and not the same"
    _assert_wordless(found)
    ours = frozenset(_spoken_for(found))
    foreign = parse_notification(parse_body(data), accounts=frozenset(), others=ours)
    assert_sound(foreign)
    assert not ours & set(_spoken_for(foreign)), "let through for a number that did not sign"
    assert foreign.accounts == frozenset()


def _spoken_for(found: Notification) -> Iterator[str]:
    nouns = (found.messages, found.statuses, found.echoes, found.relinks, found.preferences)
    for noun in (one for several in nouns for one in several):
        if noun.phone_number_id is not None:
            yield noun.phone_number_id


def _assert_wordless(found: Notification) -> None:
    """Other words of the same length would have made the same repr."""
    for message in found.messages:
        sender = replace(message.sender, name="x")
        other = replace(message, text=_other(message.text), sender=sender, wamid="x")
        if message.details is not None:
            hidden = replace(message.details, choice_id="x", quoted="y", product="", referral={})
            other = replace(other, details=hidden)
        assert repr(message) == repr(other), "words in a repr"
    for echo in found.echoes:
        other_echo = replace(echo, text=_other(echo.text), to=replace(echo.to, name="x"))
        assert repr(echo) == repr(other_echo), "words in a repr"


def _other(text: Text | None) -> Text | None:
    return None if text is None else Text("x" * len(text))


# -- neighbours -----------------------------------------------------------------------------------

_GOOD = [
    seeds.said("text", {"body": "the first one"}, 1, wa_id=seeds.ANN),
    seeds.said("text", {"body": "the second one"}, 2, wa_id=seeds.BOB),
]
_WANTED = [(one["id"], one["text"]["body"]) for one in _GOOD]


def try_neighbours(data: bytes) -> None:
    """One item of a request, whatever it is, takes none of the good ones with it."""
    if not _is_json(data):
        return
    for place, raw in enumerate(_around(data)):
        found = parse_notification(parse_body(raw))
        assert_sound(found)
        known = {wamid for wamid, _ in _WANTED}
        good = [_told(one) for one in found.messages if one.wamid in known]
        assert [one for one in _WANTED if one not in good] == [], f"lost a good one, place {place}"


def _told(message: Inbound) -> tuple[str, str]:
    return message.wamid, message.text.words if message.text is not None else ""


def _is_json(data: bytes) -> bool:
    """As far as another reader can tell; what only it gives up on is for ours to mend."""
    try:
        json.loads(data.decode(), parse_constant=_refuse, parse_int=len)
    except RecursionError:
        return _is_closed(data)
    except ValueError:
        return False
    return True


def _refuse(_: str) -> None:
    raise json.JSONDecodeError("no JSON", "", 0)


def _is_closed(data: bytes) -> bool:
    """Deep JSON that is nothing but brackets and a number: its reading is known without a stack."""
    bare = data.strip(b"[]0123456789 ")
    return not bare and data.count(b"[") == data.count(b"]") and data.startswith(b"[" * 900)


def _around(item: bytes) -> Iterator[bytes]:
    """The item in every kind of list, in front of, between and behind good messages."""
    one, two = (seeds.compact(message) for message in _GOOD)
    about = seeds.compact(seeds.value())[1:-1]
    head = b'{"object":"whatsapp_business_account","entry":['

    def change(inner: bytes) -> bytes:
        return b'{"field":"messages","value":{%b,%b}}' % (about, inner)

    good = change(b'"messages":[%b,%b]' % (one, two))
    for inner in (
        b'"messages":[%b,%b,%b]' % (one, item, two),
        b'"messages":[%b,%b,%b]' % (item, one, two),
        b'"statuses":[%b],"messages":[%b,%b]' % (item, one, two),
        b'"statuses":%b,"messages":[%b,%b]' % (item, one, two),
        b'"errors":[%b],"messages":[%b,%b]' % (item, one, two),
        b'"contacts":[%b],"messages":[%b,%b]' % (item, one, two),
        b'"contacts":%b,"messages":[%b,%b]' % (item, one, two),
    ):
        yield head + b'{"id":"1","changes":[%b]}]}' % change(inner)
    yield head + b'{"id":"1","changes":[%b,%b]}]}' % (item, good)
    yield head + b'{"id":%b,"time":%b,"changes":[%b]}]}' % (item, item, good)
    yield head + b'%b,{"id":"1","changes":[%b]},%b]}' % (item, good, item)
    yield head + b'{"id":"1","changes":%b},{"id":"1","changes":[%b]}]}' % (item, good)


def _items() -> list[bytes]:
    """Each item of each sample, by itself."""
    found: dict[bytes, None] = {}
    for raw in seeds.webhooks():
        for entry in json.loads(raw).get("entry", []):
            for change in entry.get("changes", []):
                found[seeds.compact(change)] = None
                for held in change.get("value", {}).values():
                    for one in held if isinstance(held, list) else ():
                        found[seeds.compact(one)] = None
    return [*found, b"[" * 2000 + b"]" * 2000, b"9" * 6000, b"-1e400", b'"\\ud83d"']


PAYLOAD = Target("payload", try_payload, seeds.webhooks, seeds.WORDS, mutate_json, _LONGEST)
NEIGHBOURS = Target("neighbours", try_neighbours, _items, seeds.WORDS, mutate_json, _LONGEST)
