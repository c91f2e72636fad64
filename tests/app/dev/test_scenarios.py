"""Scripts one after the other: who answers them, and what their outcomes come to."""

from pathlib import Path
from typing import Any

import pytest

from openparallax.app.dev import scenarios
from openparallax.app.dev.folder import Folder
from openparallax.app.dev.run import Options
from openparallax.app.dev.scenarios import play_all
from openparallax.emulator.scenario import Outcome, load
from openparallax.errors import ConfigError


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.yaml"
    file.write_text("scenario: t\nengine: parrot\nsteps: [{ann: hello}]\n")
    return file


@pytest.mark.parametrize(
    ("failures", "code"), [([(), ()], 0), ([("ann hears",), ()], 1), ([(), ("ann hears",)], 1)]
)
async def test_one_that_fails_is_enough(
    script: Path, failures: list[tuple[str, ...]], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter(failures)

    async def play(*_: object) -> Outcome:
        return Outcome(title="t", played=1, failures=next(left))

    monkeypatch.setattr(scenarios, "_play", play)
    assert await play_all([script, script], Options(), lambda _: None) == code
    assert list(left) == []  # each was played, whatever became of the one before


async def test_one_with_settings_does_not_go_with_a_persons_own(script: Path) -> None:
    with pytest.raises(ConfigError, match="do not go with -c"):
        await play_all([script], Options(config=script), lambda _: None)


def test_the_command_chooses_who_answers_and_then_the_script(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(scenarios, "generate", lambda *_, engine, **__: made.append(engine))
    for options in (Options(), Options(engine="anthropic")):
        scenarios._set_up(load(script), Folder(tmp_path, None), options)
    assert made == ["parrot", "anthropic"]
