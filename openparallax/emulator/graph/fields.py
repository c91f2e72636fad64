"""What every node of Graph has in common: fields that are asked for, pages, ids of nothing."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from openparallax.emulator.graph.asked import Asked
from openparallax.emulator.graph.errors import GraphError

MOST_PER_PAGE = 1000
NO_OBJECT = (
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to"
    " missing permissions, or does not support this operation. Please read the Graph API"
    " documentation at https://developers.facebook.com/docs/graph-api"
)


def no_object(method: str, node: str) -> GraphError:
    """There is nothing with this id, or not for this token: both look the same.

    Source:
        tawn33y/whatsapp-cloud-api#7, sajuthankappan/whatsapp-cloud-api-rs#3: code 100 with subcode
        33, a type of its own, and status 400, not 404.
    """
    return GraphError(
        100,
        subcode=33,
        message=NO_OBJECT.format(method=method.lower(), id=node[:64]),
        type="GraphMethodException",
    )


def missing(name: str) -> GraphError:
    """A parameter is missing; Source: Neurotech-HQ/heyoo#27 quotes it for uploads."""
    return GraphError(100, message=f"(#100) The parameter {name} is required.")


def names(fields: str) -> list[str]:
    """What ``fields`` asks for, without what is asked of each: ``a{b,c},d.limit(1)`` is a and d."""
    found, depth, name = [], 0, ""
    for mark in fields + ",":
        if mark in "{(":
            depth += 1
        elif mark in "})":
            depth -= 1
        elif depth <= 0 and mark == ",":
            found.append(name.split(".", maxsplit=1)[0].strip())
            name = ""
        elif depth <= 0:
            name += mark
    return [name for name in found if name]


def select(
    node: Mapping[str, Any], fields: str | None, usual: Sequence[str], kind: str
) -> dict[str, Any]:
    """The fields that are asked for, or the usual ones; always the id; what is None is left out.

    Raises:
        GraphError: 100: there is no such field. What ``kind`` is called in its message is unsure.

    Source:
        PipedreamHQ/pipedream#9004, and many more, quote the message.
    """
    wanted = list(usual) if fields is None else names(fields)
    for name in wanted:
        if name not in node:
            raise GraphError(
                100,
                message=f"(#100) Tried accessing nonexisting field ({name[:64]})"
                f" on node type ({kind})",
            )
    if "id" in node and "id" not in wanted:
        wanted.append("id")
    return {name: node[name] for name in wanted if node[name] is not None}


def page(asked: Asked, rows: Sequence[dict[str, Any]], ids: Sequence[str]) -> dict[str, Any]:
    """One page of rows: ``limit``, ``after``, ``before``; ``next`` only if there is more.

    A cursor is the id of a row, so that it holds while rows come and go. One that nobody knows (any
    more) begins at the beginning; what Graph says then is unsure.

    Raises:
        GraphError: 100: ``limit`` is no number.
    """
    text = asked.query.get("limit", "25")
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0):
        raise GraphError(100, message="(#100) Param limit must be a positive integer")
    limit = min(int(text[:9]), MOST_PER_PAGE)
    places = {found: place for place, found in enumerate(ids)}
    after, before = asked.query.get("after", ""), asked.query.get("before", "")
    if after in places:
        start = places[after] + 1
        end = start + limit
    elif before in places:
        end = places[before]
        start = max(end - limit, 0)
    else:
        start, end = 0, limit
    shown, marks = list(rows[start:end]), ids[start:end]
    if not marks:
        return {"data": []}
    paging: dict[str, Any] = {"cursors": {"before": marks[0], "after": marks[-1]}}
    # Graph's own links carry the token; these do not, so that it never stands in an answer.
    rest = {
        name: value
        for name, value in asked.query.items()
        if name not in ("after", "before", "access_token")
    }
    url = asked.request.url.with_query(None)
    if end < len(rows):
        paging["next"] = f"{url}?{urlencode({**rest, 'after': marks[-1]})}"
    if start > 0:
        paging["previous"] = f"{url}?{urlencode({**rest, 'before': marks[0]})}"
    return {"data": shown, "paging": paging}


def text_of(body: Mapping[str, Any], name: str, most: int = 4096) -> str:
    """A text of the body; "" where it is not there.

    Raises:
        GraphError: 100: it is no text, or too long.
    """
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise GraphError(100, message=f"(#100) Param {name} must be a string.")
    if len(value) > most:
        raise GraphError(
            100, message=f"(#100) Param {name} must be at most {most} characters long."
        )
    return value
