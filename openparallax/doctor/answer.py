"""What Graph says, and what that means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from openparallax.graph.answers import code_and_trace
from openparallax.graph.errors import fact

_RATES: Final = frozenset({4, 17, 32, 613, 80007, 80008, 130429})
_TOKEN: Final = frozenset({0, 102, 190, 467})
_UNKNOWN_FIELD: Final = re.compile(r"nonexisting field \(([a-z_]{1,64})\)")
_PERMISSIONS: Final = frozenset({3, 10, 131005, *range(200, 300)})


@dataclass(frozen=True, slots=True)
class Answer:
    """What Graph said, or that it said nothing.

    Attributes:
        status: Of HTTP; 0: no answer came, and ``trouble`` says why.
        body: The object that was answered; empty for anything that is none.
        headers: Names in lower case.
        seconds: How long it took.
        at: Unix seconds of our own clock at which the answer came.
        trouble: The end of a sentence that begins "Graph ..."; "" where an answer came.
    """

    status: int = 0
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    at: float = 0.0
    trouble: str = ""

    @property
    def is_ok(self) -> bool:
        """Graph answered, with an object, and it is no refusal."""
        return self.status == 200 and bool(self.body) and "error" not in self.body

    @property
    def code(self) -> int | None:
        """Meta's code of a refusal; a node that is not there, or not granted, is 33."""
        return code_and_trace(dict(self.body))[0]

    @property
    def trace(self) -> str:
        """Meta's ``fbtrace_id`` of a refusal; for their support, and no secret."""
        return code_and_trace(dict(self.body))[1]

    @property
    def subcode(self) -> int | None:
        error = self.body.get("error")
        found = error.get("error_subcode") if isinstance(error, Mapping) else None
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def is_graphs(self) -> bool:
        """It has the shape of Graph's answers, and not that of something in front of it."""
        return self.is_ok or self.code is not None

    @property
    def is_limited(self) -> bool:
        """Refused for a rate of calls; says nothing about what was asked."""
        return self.code in _RATES or self.status == 429

    @property
    def is_of_token(self) -> bool:
        """Refused for the token itself."""
        return self.code in _TOKEN

    @property
    def is_forbidden(self) -> bool:
        """Refused because the token may not."""
        return self.code in _PERMISSIONS

    @property
    def wants_proof(self) -> bool:
        """Refused because the app is set to demand ``appsecret_proof`` with every call."""
        error = self.body.get("error")
        message = error.get("message") if isinstance(error, Mapping) else None
        return self.code == 100 and isinstance(message, str) and "appsecret_proof" in message

    @property
    def unknown_field(self) -> str:
        """The field that this version of Graph does not know; "" where it is not about that."""
        error = self.body.get("error")
        message = error.get("message") if isinstance(error, Mapping) else None
        found = _UNKNOWN_FIELD.search(message) if isinstance(message, str) else None
        return found[1] if found and self.code == 100 else ""

    @property
    def is_gone(self) -> bool:
        """There is no such thing, or not for this token: Graph does not tell which."""
        return self.code == 33

    @property
    def version(self) -> str:
        """The version that answered, such as ``v25.0``; "" where that was not said."""
        found = self.headers.get("facebook-api-version", "")
        return found if re.fullmatch(r"v[0-9]{1,3}\.[0-9]{1,3}", found) else ""

    @property
    def date(self) -> float | None:
        """Unix seconds of their clock, from the header ``Date``; whole seconds."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None

    def explain(self) -> str:
        """Why there is no good answer, as the end of a sentence that begins "Graph ...".

        In our own words: Meta's message may quote the token.
        """
        if self.trouble:
            return self.trouble
        code, trace = self.code, self.trace
        told = f" (trace {trace})" if trace else ""
        if code is None:
            if self.status == 200:
                return "answered with something that is no answer of Graph's"
            return f"did not answer; something in front of it said {self.status}"
        known = fact(code)
        if code == 33:
            return f"knows nothing with this id, or not for this token{told}"
        if self.is_limited:
            return f"refused for now: too many calls in an hour (code {code}{told})"
        meaning = known.meaning if known else "see Meta's list of error codes"
        return f"refused with code {code}: {meaning}{told}"
