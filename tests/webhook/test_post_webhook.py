"""The script that posts one webhook, run as people run it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.fakes import meta
from tests.webhook import samples
from tests.webhook.conftest import Listen, Listener

SCRIPT = Path(__file__).parents[2] / "scripts" / "post-webhook"


async def run(
    *arguments: str, stdin: bytes = b"", secret: str | None = meta.SECRET, name: str = "S3"
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    environment = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    if secret is not None:
        environment[name] = secret
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def test_words_arrive(listener: Listener) -> None:
    url = f"--url={listener.url}"
    said = await run(url, "--secret-env=S3", "--from=+49 151 1234", "--name=Bo", "héllo \U0001f600")
    assert said == (0, "200 OK\n", "")
    [notification] = listener.heard.notifications
    [message] = notification.messages
    assert message.text is not None
    assert message.text.words == "héllo \U0001f600"
    assert (message.sender.wa_id, message.sender.name) == ("491511234", "Bo")


async def test_words_need_not_stand_in_the_process_list(listener: Listener) -> None:
    code, _, _ = await run(
        f"--url={listener.url}",
        "--secret-env=S3",
        "--phone-number-id=77",
        "-",
        stdin=b"two\nlines\n",
    )
    assert code == 0
    assert listener.heard.words == ["two\nlines"]
    assert listener.heard.notifications[0].messages[0].phone_number_id == "77"


async def test_a_file_goes_as_it_is(listener: Listener) -> None:
    file = f"--file={samples.FOLDER / 'batch.json'}"
    code, _, _ = await run(f"--url={listener.url}", "--secret-env=S3", file)
    assert code == 0
    assert listener.heard.words == ["one", "two", "three", "to the other number"]


async def test_a_wrong_secret(listener: Listener) -> None:
    code, out, err = await run(f"--url={listener.url}", "--secret-env=S3", "hi", secret="wrong")
    assert (code, out) == (1, "401 Unauthorized\n")
    assert "the secret is not the daemon's" in err


async def test_without_a_secret_it_posts_unsigned(listen: Listen) -> None:
    listener = await listen(keys=())
    code, _, err = await run(f"--url={listener.url}", "hi", secret=None)
    assert code == 0
    assert "posting unsigned" in err
    assert listener.heard.words == ["hi"]


async def test_the_usual_variable_is_read(listener: Listener) -> None:
    code, _, err = await run(f"--url={listener.url}", "hi", name="WHATSAPP_APP_SECRET")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--secret-env=NOPE", "hi"], 2, "environment variable NOPE is not set or empty"),
        ([], 2, "give either words"),
        (["hi", "--file=x"], 2, "give either words"),
        (["--file=/no/such/file"], 2, "cannot read /no/such/file: No such file or directory"),
        (["--from=Ann", "hi"], 2, "--from must be a number"),
        (["--url=nonsense", "hi"], 2, "--url must look like"),
        (["--url=http://127.0.0.1:notaport/", "hi"], 2, "--url must look like"),
        (["--url=http://127.0.0.1:1/webhook", "hi"], 69, "Connection refused; is the daemon"),
    ],
)
async def test_what_is_wrong_is_said(arguments: list[str], code: int, sentence: str) -> None:
    ended, out, err = await run(*arguments, name="WHATSAPP_APP_SECRET")
    assert (ended, out) == (code, "")
    assert sentence in err
