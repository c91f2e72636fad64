"""A file that is in order, and the shape of a way to spoil it.

Each way is a line of that file, what stands there instead, and what must be said of it. The ways
themselves are in the ``ways_…`` modules beside this one.
"""

from typing import NamedTuple

GOOD = """\
channels:
  whatsapp:
    enabled: true
    phone_number_id: "1234567890123456"
    access_token_env: WHATSAPP_ACCESS_TOKEN
    app_secret_env: WHATSAPP_APP_SECRET
    verify_token_env: VERIFY
    webhook_host: 127.0.0.1
    webhook_port: 9443
    webhook_path: /webhook
    tls: null
    allow_unsigned_webhooks: false
    allowed_numbers:
      - "+1 (555) 000-1111"
      - "US.13491208655302741918"
    graph_api_url: https://graph.example.org
    graph_api_version: v25.0
    graph_timeout_seconds: 20
    rate_limit:
      window_seconds: 60
      max_messages: 30
    presence: typing
    human_takeover_minutes: 60
    app_id: null
    waba_id: null
    public_url: null
    accounts:
      - phone_number_id: "22"
        access_token_env: OTHER_TOKEN
engine:  # which
  type: anthropic
  model: claude-sonnet-5-5
  api_key_env: ANTHROPIC_API_KEY
  base_url: null
  max_tokens: 1024
  system_prompt: Be kind.
pipeline:
  - time_limit:
      seconds: 120
  - cage:
      mark: "[]"
conversation:
  coalesce: queued
  history_messages: 40
  max_concurrent_turns: 100
  drain_seconds: 25
off_the_record:
  idle_minutes: 60
  engine:
    type: bird
    name: Polly
    keeps: false
  pipeline: []
notices:
  help: "Say {commands}"
  lost: Gone.
outbox:
  receipt_wait_seconds: 10
  messages_per_second: 80
  pair_burst: 45
  pair_interval_seconds: 6
  max_in_flight: 50
storage:
  url: sqlite:///state.db
  retention_days: 30
admin:
  enabled: true
  host: 127.0.0.1
  port: 9444
log:
  level: info
  format: auto
"""

ENVIRONMENT = {
    "WHATSAPP_ACCESS_TOKEN": "planted-token",
    "OTHER_TOKEN": "planted-other",
    "WHATSAPP_APP_SECRET": "planted-app-secret",
    "VERIFY": "planted-verify",
    "ANTHROPIC_API_KEY": "planted-key",
    "EMPTY": "",
    "BLANK": " \n",
    "WORDS": "planted words",
    "PLANTED": "planted-value",
}


class Way(NamedTuple):
    """One way to be wrong.

    Attributes:
        old: The line of `GOOD` that is replaced; with its indent where it is there twice.
        new: What stands there instead; each line gets the indent of the old one.
        key: The key that is blamed; empty: the file itself.
        gist: A part of what is said.
        below: How many lines below the first new one the mistake is.
    """

    old: str
    new: str
    key: str
    gist: str
    below: int = 0


def ways(block: str, old: str, *rows: tuple[str, str] | tuple[str, str, str]) -> list[Way]:
    """Ways to spoil one line.

    Each row is what stands there instead and what is said of it, under the key that the new line
    begins with. A third entry names another key of the block; ``+2 key`` one two lines below it,
    ``-1 key`` one above, ``/key`` one that is not of the block, and ``/`` alone the file.
    """
    made = []
    for new, gist, *rest in rows:
        named = rest[0] if rest else new.partition(":")[0].strip("- \t")
        below, _, key = named.rpartition(" ") if named[0] in "+-" else ("0", "", named)
        whole = key.removeprefix("/") if key.startswith("/") else f"{block}.{key}".strip(".")
        made.append(Way(old, new, whole, gist, int(below)))
    return made


def spoilt(way: Way) -> tuple[str, int]:
    """The file with that mistake in it, and the line that is to be blamed."""
    lines = GOOD.splitlines()
    [place] = [n for n, line in enumerate(lines) if way.old in {line, line.strip()}]
    indent = lines[place][: -len(lines[place].lstrip())] if lines[place][0] == " " else ""
    new = [f"{indent}{line}" for line in way.new.split("\n")]
    return "\n".join([*lines[:place], *new, *lines[place + 1 :], ""]), place + 1 + way.below
