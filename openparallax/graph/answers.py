"""What an answer of Graph's says, or of whatever stands in front of it."""

import json
import re
from typing import Any, Final

import aiohttp

from openparallax.graph.errors import classify
from openparallax.model.outcomes import Accepted, Outcome, Refused, Unanswered

MAX_ANSWER_BYTES: Final = 1024 * 1024
_TRACE = re.compile(r"[\x21-\x7e]{1,64}")


async def read_body(content: aiohttp.StreamReader) -> bytes | None:
    """An answer's body, or None where it is longer than any of Graph's; the rest is unread then."""
    body = b""
    while not content.at_eof():
        body += await content.readany()
        if len(body) > MAX_ANSWER_BYTES:
            return None
    return body


async def read_answer(answer: aiohttp.ClientResponse) -> bytes | None:
    """The answer's body, or None where it is longer than any of Graph's.

    A body that was read to its end has given its connection back; of any other it is cut.
    """
    try:
        body = await read_body(answer.content)
    except BaseException:
        answer.close()
        raise
    if body is None:
        answer.close()
    return body


def outcome_of(http_status: int, body: bytes | None) -> Outcome:
    """What an answer says. Its Content-Type is not asked: proxies and Graph itself misstate it."""
    answer = parse_answer(body)
    if 200 <= http_status < 300:
        wamid = _first(answer, "messages").get("id")
        if isinstance(wamid, str) and wamid:
            wa_id = _first(answer, "contacts").get("wa_id")
            return Accepted(wamid, wa_id if isinstance(wa_id, str) else None)
    code, trace = code_and_trace(answer)
    if code is not None or 300 <= http_status < 500:
        return Refused(code, classify(code, http_status), trace)
    if http_status == 200:
        return Unanswered("no_message_id" if answer else "unreadable_answer")
    return Unanswered(f"http_{http_status}")


def parse_answer(body: bytes | None) -> dict[str, Any]:
    """The JSON object that an answer is; an empty one for anything else."""
    try:
        answer = json.loads(body or b"null")
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def code_and_trace(answer: dict[str, Any]) -> tuple[int | None, str]:
    """Meta's code and trace of an error, or (None, "").

    A wrong phone number id comes as 100 with subcode 33, and is 33.

    Source:
        Graph's "Unsupported post request. Object with ID … does not exist". The difference
        matters: 33 meets every message of the number, 100 this one alone.
    """
    error = answer.get("error")
    if not isinstance(error, dict):
        return None, ""
    code, trace = error.get("code"), error.get("fbtrace_id")
    if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) < 10:
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool) or not 0 <= code < 10**9:
        code = None
    elif code == 100 and error.get("error_subcode") == 33:
        code = 33
    if not isinstance(trace, str) or not _TRACE.fullmatch(trace):
        trace = ""
    return code, trace


def _first(answer: dict[str, Any], key: str) -> dict[str, Any]:
    items = answer.get(key)
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}
