"""The moods that Graph can meet a call with, by name."""

import asyncio
import json
from typing import Any

from openparallax.emulator.calls import Behaviour, Call

__all__ = [
    "Behaviour",
    "Call",
    "cut_after_accepting",
    "cut_before_accepting",
    "error",
    "garbage",
    "http_500_after_accepting",
    "http_500_before_accepting",
    "ok",
    "slow",
]


def ok() -> Behaviour:
    return Behaviour()


def error(code: int, http_status: int = 400, /, **more: Any) -> Behaviour:
    """Graph's own error answer; ``more`` goes into the error object."""
    said = {
        "message": f"(#{code}) made up",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "made up"},
        "fbtrace_id": "AbCdEfTrace",
        **more,
    }
    return Behaviour(accepts=False, status=http_status, answer=json.dumps({"error": said}).encode())


def http_500_after_accepting(status: int = 500) -> Behaviour:
    return Behaviour(status=status, answer=b"<html>Sorry, something went wrong.</html>")


def http_500_before_accepting(status: int = 500) -> Behaviour:
    return Behaviour(accepts=False, status=status, answer=b"<html>Sorry.</html>")


def cut_after_accepting() -> Behaviour:
    return Behaviour(cuts=True)


def cut_before_accepting() -> Behaviour:
    return Behaviour(accepts=False, cuts=True)


def garbage(answer: bytes = b"<html>ok</html>", status: int = 200) -> Behaviour:
    """Accepted, and answered with something that is not Graph's."""
    return Behaviour(status=status, answer=answer)


def slow(event: asyncio.Event) -> Behaviour:
    """Accepted at once, answered when ``event`` is set."""
    return Behaviour(waits_for=event)
