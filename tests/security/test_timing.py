"""What a stranger could learn from how long a check takes: the steps are counted, not the seconds.

Steps of Python's own machine are the same on every machine. What they call, `hmac.digest` and
`hmac.compare_digest`, is made for this by OpenSSL and CPython: the time depends on lengths alone.
"""

import ast
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

import openparallax.webhook
from openparallax.webhook.gate import Refused
from openparallax.webhook.server import WebhookServer
from openparallax.webhook.signature import Key, speaks_for
from tests.fakes import meta
from tests.security.behind import listening

RAW = b'{"object":"whatsapp_business_account"}'
KEYS = [Key(bytes([65 + n]) * 16, frozenset({str(n)})) for n in range(4)]


@contextmanager
def counting() -> Iterator[list[int]]:
    """How many steps Python's machine does, in every function that is called."""
    count = [0]

    def look(frame: FrameType, event: str, _arg: Any) -> Any:
        frame.f_trace_opcodes = True
        count[0] += event == "opcode"
        return look

    before = sys.gettrace()
    gc.disable()  # what is collected meanwhile may have steps of its own
    sys.settrace(look)
    try:
        yield count
    finally:
        sys.settrace(before)
        gc.enable()


def steps(work: Callable[[], object]) -> int:
    work()  # what is remembered from the first time on
    with counting() as count:
        work()
    assert count[0] > 20
    return count[0]


def wrong_from(right: str, place: int) -> str:
    """``right`` with all characters from ``place`` on changed."""
    return right[:place] + "".join("0" if c != "0" else "1" for c in right[place:])


def check_signature(header: str) -> Callable[[], object]:
    return lambda: speaks_for(RAW, header, KEYS)


def test_a_wrong_signature_costs_the_same_however_much_of_it_is_right() -> None:
    counts = {
        steps(check_signature("sha256=" + wrong_from(meta.sign(RAW, key.secret.decode())[7:], n)))
        for key in KEYS
        for n in range(64)
    }
    assert len(counts) == 1


def test_which_of_the_keys_it_was_does_not_show() -> None:
    counts = {steps(check_signature(meta.sign(RAW, key.secret.decode()))) for key in KEYS}
    assert len(counts) == 1


def test_the_count_would_show_an_early_end() -> None:
    """The control: a comparison that ends at the first difference."""

    def careless(header: str) -> bool:
        right = meta.sign(RAW, KEYS[0].secret.decode())
        return all(a == b for a, b in zip(right, header, strict=True))

    right = meta.sign(RAW, KEYS[0].secret.decode())
    counts = {steps(lambda n=n: careless(wrong_from(right, n))) for n in range(7, 71)}  # type: ignore[misc]
    assert len(counts) > 50


def _steps_of_verifying(server: WebhookServer, token: str, mode: str = "subscribe") -> int:
    request = make_mocked_request(
        "GET", f"/webhook?hub.mode={mode}&hub.verify_token={token}&hub.challenge=1"
    )
    assert request.query["hub.verify_token"] == token  # read once, and remembered

    def verify() -> None:
        with pytest.raises(Refused):
            server._verify(request)

    return steps(verify)


async def test_a_wrong_verify_token_costs_the_same_however_much_of_it_is_right() -> None:
    async with listening() as behind:
        server = behind.server
        right = server._tokens[0].decode()
        server._tokens = [b"another of as many", *server._tokens]
        server._complaints.clear()
        counts = {_steps_of_verifying(server, wrong_from(right, n)) for n in range(len(right))}
    assert len(counts) == 1


async def test_which_of_the_verify_tokens_it_was_does_not_show() -> None:
    async with listening() as behind:
        behind.server._tokens = [b"one of as many", b"another as long"]
        behind.server._complaints.clear()
        tokens = ["one of as many", "another as long"]
        assert len({_steps_of_verifying(behind.server, one, "other") for one in tokens}) == 1


def test_secrets_are_compared_by_nothing_else() -> None:
    """In the listener's room nothing that is secret stands beside ``==`` or ``in``."""
    secret = {"secret", "secrets", "expected", "token", "tokens", "_tokens", "given", "header"}
    found = []
    for path in sorted(Path(openparallax.webhook.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(
                isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops
            ):
                sides = [node.left, *node.comparators]
                found += [
                    f"{path.name}:{node.lineno}"
                    for side in sides
                    if getattr(side, "id", getattr(side, "attr", "")) in secret
                ]
    assert found == []
