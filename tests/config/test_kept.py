"""Refreshed tokens: kept apart from the configuration, for nobody else to read."""

import json
from dataclasses import replace
from pathlib import Path
from stat import S_IMODE

import pytest
from pydantic import SecretStr

from openparallax.config import Settings
from openparallax.config.kept import (
    KeptToken,
    KeptTokens,
    configured_tokens,
    fingerprint,
    kept_path,
)
from tests.config.files import ENVIRONMENT, SMALLEST, load, with_line

OLD = ENVIRONMENT["WHATSAPP_ACCESS_TOKEN"]
ACCOUNTS = """accounts:
      - {phone_number_id: "2", access_token: another}
      - {phone_number_id: "3"}
      - {phone_number_id: "4", access_token: another, enabled: false}"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return kept_path(tmp_path / "openparallax.db")


def fresh_for(configured: str, token: str, expires_at: int = 0) -> KeptToken:
    return KeptToken(fingerprint(configured), token, expires_at, 7)


def tokens_of(settings: Settings) -> list[str]:
    return [one.access_token.get_secret_value() for one in settings.whatsapp.numbers]


def test_a_refreshed_token_stands_for_the_configured_one(tmp_path: Path, path: Path) -> None:
    settings = load(tmp_path, with_line(ACCOUNTS))
    kept = KeptTokens(path)
    assert kept.put_in(settings) is settings
    kept.keep(fresh_for(OLD, "fresh"))
    kept.keep(fresh_for("another", "newer", 9))
    kept.save()

    again = KeptTokens(path)
    assert tokens_of(again.put_in(settings)) == ["fresh", "newer", "fresh"]
    assert again.of("another") == fresh_for("another", "newer", 9)
    assert tokens_of(settings) == [OLD, "another", OLD], "the settings themselves do not change"


def test_the_configured_one_wins_as_soon_as_it_is_another(tmp_path: Path, path: Path) -> None:
    kept = KeptTokens(path)
    kept.keep(fresh_for(OLD, "fresh"))
    settings = load(tmp_path, SMALLEST, {**ENVIRONMENT, "WHATSAPP_ACCESS_TOKEN": "rotated"})
    assert tokens_of(kept.put_in(settings)) == ["rotated"]
    # The one from before again, and what was refreshed from it is the newer one.
    assert tokens_of(kept.put_in(load(tmp_path, SMALLEST))) == ["fresh"]


def test_whose_token_is_whose(tmp_path: Path) -> None:
    first = "1234567890123456"
    assert configured_tokens(load(tmp_path, with_line(ACCOUNTS)).whatsapp) == {
        fingerprint(OLD): (first, "3"),
        fingerprint("another"): ("2", "4"),
    }


def test_it_is_for_nobody_else_to_read(path: Path) -> None:
    kept = KeptTokens(path)
    path.with_name(f"{path.name}.new").write_text("left behind by a crash")
    kept.keep(fresh_for("old", "EAAfresh"))
    before = kept.is_saved
    kept.save()
    assert (before, kept.is_saved) == (False, True)
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert "EAAfresh" not in f"{kept!r} {kept.of('old')!r} {kept.of('old')}"
    assert "old" not in json.loads(path.read_text())["tokens"][0].values()


def test_what_cannot_be_written_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptTokens(path)
    kept.keep(fresh_for("old", "first"))
    kept.save()
    before = path.read_bytes()
    kept.keep(fresh_for("old", "second"))

    def refuse(_number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            kept.save()
    assert (path.read_bytes(), kept.is_saved) == (before, False)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert kept.of("old") == fresh_for("old", "second"), "it is used all the same"
    kept.save()
    assert KeptTokens(path).of("old") == fresh_for("old", "second")


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"{",
        b"[]",
        b'{"tokens": 1}',
        b'{"tokens": [{"configured": "x", "token": "t", "expires_at": 0, "refreshed_at": 0}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_and_not_used(path: Path, held: bytes) -> None:
    path.write_bytes(held)
    kept = KeptTokens(path)
    assert kept.trouble == "it is damaged"
    assert kept.of("t") is None


def test_a_token_with_a_line_break_is_none(path: Path) -> None:
    row = {"configured": fingerprint("a"), "token": "a\nb", "expires_at": 0, "refreshed_at": 0}
    path.write_text(json.dumps({"tokens": [row]}))
    assert KeptTokens(path).trouble


def test_what_cannot_be_read_is_told(path: Path) -> None:
    path.mkdir()
    assert KeptTokens(path).trouble == "Is a directory"


def test_what_has_expired_and_is_configured_no_more_goes(path: Path) -> None:
    day = 86_400
    kept = KeptTokens(path)
    for name, expires_at in (("gone", 10 * day), ("coming back", 30 * day), ("in use", 10 * day)):
        kept.keep(fresh_for(name, "t", expires_at))
    kept.keep(fresh_for("endless", "t", 0))
    kept.save()
    kept.drop_expired(12 * day, in_use={fingerprint("in use")})
    assert not kept.is_saved
    left = [name for name in ("gone", "coming back", "in use", "endless") if kept.of(name)]
    assert left == ["coming back", "in use", "endless"]


def test_nothing_else_of_the_settings_changes(tmp_path: Path, path: Path) -> None:
    settings = load(tmp_path, with_line(ACCOUNTS))
    kept = KeptTokens(path)
    kept.keep(fresh_for(OLD, "fresh"))
    made = kept.put_in(settings)
    back = made.whatsapp.model_copy(update={"access_token": SecretStr(OLD)})
    assert replace(made, whatsapp=back) == settings
    # A number that has no token of its own still takes the first one's.
    assert "access_token" not in made.whatsapp.accounts[1].model_fields_set
