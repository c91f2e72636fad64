"""The engine that asks a Claude model, through Anthropic's Messages API and official SDK."""

import asyncio
import logging
import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from openparallax.engines.prompt import render_messages, render_system, storable
from openparallax.plugin import (
    EngineError,
    PluginSettings,
    Reply,
    SecretStr,
    Tools,
    TooSlow,
    Turn,
)

ADDRESS = "https://api.anthropic.com"

_WITHOUT_THINKING: dict[str, dict[str, Any]] = {
    "claude-sonnet-5-5": {"thinking": {"type": "between_tools"}},
    "claude-sonnet-5": {"thinking": {"type": "disabled"}},
    "claude-haiku-5-5": {"thinking": {"type": "disabled"}},
    "claude-opus-5": {"thinking": {"type": "disabled"}},
    "claude-opus-5-5": {"output_config": {"effort": "low"}},
    "claude-fable-5-1": {"output_config": {"effort": "low"}},
}
"""How each model that thinks unasked is told not to, or, the last two, to think little.

Thinking counts against ``max_tokens``: at 1024, a model that thinks at its default effort may spend
them all and write nothing. A wrong word here is a refused request, so a model that is not listed is
asked as it is.

Source:
    Anthropic's pages "What's new" and "Migration guide" of each model, autumn 2026.
"""

CHECK_S = 20.0
"""How long `Anthropic.check` may take."""
LONGEST_PAUSE_S = 30.0
"""Where the API asks for a longer pause, the person is told at once instead of waiting it out."""

_REQUEST_ID = re.compile(r"req_[A-Za-z0-9]{1,64}")

_NO_MESSAGE = (
    "The Messages API answered with something else than a message: check the engine's base_url."
)
_OUT_OF_TOKENS = (
    "The model used up its tokens before it wrote anything: raise the engine's max_tokens."
)
_REASONS = {
    301: "the address has moved: check the engine's base_url",
    302: "the address has moved: check the engine's base_url",
    307: "the address has moved: check the engine's base_url",
    308: "the address has moved: check the engine's base_url",
    400: "the request is invalid: check the engine's model and max_tokens",
    401: "the API key is not valid: check the engine's api_key",
    402: "the account has a billing problem: see Anthropic's console",
    403: "the API key may not do this: check its permissions in Anthropic's console",
    404: "there is no such model or address: check the engine's model and base_url",
    413: "the conversation is too long for one request: /new begins a fresh one",
    429: "the account's rate limit is reached",
    529: "the API is overloaded",
}


class Anthropic:
    """Answer with a Claude model; it sees the session's history and the turn.

    One request, one whole answer, on purpose no stream: a turn has one reply, which is sent when it
    is whole. A stream would wake the loop for every few words and gain nothing, and simple servers
    that speak the Messages API need not be able to stream.
    """

    class Settings(PluginSettings):
        """Which model, and how it is asked."""

        secret_variables: ClassVar[dict[str, str]] = {"api_key": "ANTHROPIC_API_KEY"}

        model: str = Field("claude-sonnet-5-5", min_length=1, description="Which model answers.")
        api_key: SecretStr = Field(min_length=1, description="Key of Anthropic's API.")
        base_url: str | None = Field(
            None,
            pattern="^https?://",
            description="Another address that speaks the Messages API; null: Anthropic's own.",
        )
        max_tokens: int = Field(1024, ge=1, description="Greatest length of an answer, in tokens.")
        system_prompt: str = Field(
            "You answer people on WhatsApp. Be friendly and to the point: a few short sentences, in"
            " the language that the person writes in. Say so when you do not know something.",
            description="What the model is told about its task; empty: nothing.",
        )

        @field_validator("api_key")
        @classmethod
        def _is_one_word(cls, key: SecretStr) -> SecretStr:
            if not all("!" <= character <= "~" for character in key.get_secret_value()):
                raise ValueError("must be one word, without spaces, line ends or foreign letters")
            return key

        @field_validator("base_url")
        @classmethod
        def _names_a_host(cls, url: str | None) -> str | None:
            if url is not None and not _has_a_host(url):
                raise ValueError("must name a host, such as https://api.example.org")
            return url

    keeps_content = False
    writes_markdown = True
    imports = ("anthropic",)

    def __init__(self, settings: Settings, tools: Tools) -> None:
        # Here and not above: it takes a second and 50 MB, which an echo need not pay.
        import anthropic  # noqa: PLC0415 - see above

        # The SDK logs whole requests if ANTHROPIC_LOG says so; below it, its HTTP client addresses.
        for name in ("anthropic", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings
        self._log = tools.log
        # Nothing arrives before the answer is whole; models write 20 tokens a second and more.
        self._most_s = 60 + settings.max_tokens / 20
        self._client = anthropic.AsyncAnthropic(
            api_key=settings.api_key.get_secret_value(),
            base_url=settings.base_url or ADDRESS,  # not ANTHROPIC_BASE_URL: the file says where to
            max_retries=2,
            timeout=anthropic.Timeout(self._most_s, connect=10),
            open_telemetry=False,  # its spans hold the words if the environment asks for it
            http_client=anthropic.DefaultAsyncHttpxClient(
                follow_redirects=False,  # key and words go where the file says and nowhere else
                event_hooks={"response": [_mind_the_pause]},
            ),
        )
        self._ask = self._client.messages.create  # imports the rest now, not in the first turn
        self._request: dict[str, Any] = {
            "model": settings.model,
            "max_tokens": settings.max_tokens,
            **_WITHOUT_THINKING.get(settings.model, {}),
        }
        if system := render_system(settings.system_prompt):
            self._request["system"] = system

    async def answer(self, turn: Turn) -> Reply:
        """Answer ``turn``; what may get better (overload, rate limits) is tried three times in all.

        Raises:
            EngineError: The API failed or refused, the model refused or wrote nothing.
            TooSlow: All of that took longer than an answer may take.
        """
        request = {**self._request, "messages": render_messages(turn)}
        try:
            # For all tries together, and for an answer that comes byte by byte: the SDK's own
            # time-out begins anew with each of them.
            async with asyncio.timeout(self._most_s):
                message = await self._ask(**request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may quote the prompt
            failure = _explain(error)
        else:
            return self._read(turn, message)
        # Raised out here so that it has no context: the SDK's exceptions hold the whole request.
        raise failure

    async def check(self) -> None:
        """See that the address, the key and the model are right; spends a token at most.

        The model is looked up, which costs nothing. Where another address than Anthropic's own does
        not know that question, it is asked for an answer of one token.

        Raises:
            EngineError: What is wrong.
        """
        try:
            async with asyncio.timeout(CHECK_S):
                is_known = await self._looks_up()
        except Exception as error:  # noqa: BLE001 - whatever it is, it may quote the key
            failure = _explain(error)
        else:
            if is_known:
                return
            failure = EngineError(_NO_MESSAGE)
        raise failure

    async def _looks_up(self) -> bool:
        """Whether what answers is the API."""
        import anthropic  # noqa: PLC0415 - loaded by then

        once = self._client.with_options(max_retries=0)
        try:
            found: Any = await once.models.retrieve(self._settings.model)
            return isinstance(getattr(found, "id", None), str)
        except anthropic.NotFoundError:
            if self._settings.base_url is None:
                raise
        request = {
            **{name: value for name, value in self._request.items() if name != "system"},
            "max_tokens": 1,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "."}]}],
        }
        found = await once.messages.create(**request)
        return isinstance(getattr(found, "content", None), list)

    async def close(self) -> None:
        await self._client.close()

    def _read(self, turn: Turn, message: Any) -> Reply:
        """Make a reply of the API's answer, whose shape the SDK does not check."""
        content = getattr(message, "content", None)
        if not isinstance(content, list):
            raise EngineError(_NO_MESSAGE)
        model = message.model if isinstance(message.model, str) else self._settings.model
        usage = _usage(getattr(message, "usage", None))
        reason = message.stop_reason
        was_cut = reason in ("max_tokens", "model_context_window_exceeded")
        text = _text_of(content)
        failure = ""
        if reason == "refusal":
            failure = "The model refused to answer."  # and what it had written is not an answer
        elif not text.strip():
            failure = _OUT_OF_TOKENS if was_cut else "The model answered with no words."
        if failure:
            raise EngineError(failure, usage=usage, model=model)
        if was_cut:
            self._log.warning(
                "reply_cut_short", turn=turn.id, reason=reason, limit=self._settings.max_tokens
            )
        return Reply(text=text, usage=usage, model=model)


def _has_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0  # asking for the port checks it
    except ValueError:
        return False


def _text_of(content: list[Any]) -> str:
    """The words of an answer: not its thoughts, nor what else may stand between them."""
    return storable(
        "".join(
            block.text
            for block in content
            if getattr(block, "type", None) == "text" and isinstance(block.text, str)
        )
    )


def _usage(usage: Any) -> dict[str, int]:
    counts = {
        "input": getattr(usage, "input_tokens", None),
        "output": getattr(usage, "output_tokens", None),
        "cache_read": getattr(usage, "cache_read_input_tokens", None),
        "cache_write": getattr(usage, "cache_creation_input_tokens", None),
    }
    return {kind: count for kind, count in counts.items() if type(count) is int and count >= 0}


async def _mind_the_pause(response: Any) -> None:
    """Have the SDK not try again where it would have to wait too long before."""
    try:
        pause_s = float(response.headers.get("retry-after", ""))
    except ValueError:
        return  # not said, or said as a date: the SDK knows what to do
    if pause_s > LONGEST_PAUSE_S:
        response.headers["x-should-retry"] = "false"


def _explain(error: Exception) -> EngineError:
    """Say what went wrong in our own words only: the API's may quote the prompt, or the key."""
    import anthropic  # noqa: PLC0415 - loaded by then

    if isinstance(error, TimeoutError | anthropic.APITimeoutError):
        return TooSlow("The Messages API did not answer in time.")
    if isinstance(error, anthropic.APIConnectionError):
        return EngineError(
            "The Messages API could not be reached: check the network and the engine's base_url."
        )
    if isinstance(error, anthropic.APIStatusError):
        status = error.status_code
        reason = _REASONS.get(status, "the API failed" if status >= 500 else "the API refused")
        request = error.request_id or ""
        trace = f", request {request}" if _REQUEST_ID.fullmatch(request) else ""
        return EngineError(f"The Messages API answered {status}{trace}: {reason}.")
    return EngineError(f"The request to the Messages API failed ({type(error).__name__}).")
