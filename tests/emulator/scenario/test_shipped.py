"""The scripts that come with the project, each against the daemon as a process of its own."""

import re
from pathlib import Path

import pytest

from openparallax.app.dev.run import Options
from openparallax.app.dev.scenarios import play_all
from openparallax.cli.example import text_of
from openparallax.emulator.faults import NAMES
from openparallax.emulator.scenario import load, wording
from openparallax.session.notices import SENTENCES

SCRIPTS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def test_there_are_scripts() -> None:
    assert "off-the-record" in [script.stem for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
async def test_it_goes_as_the_script_says(script: Path) -> None:
    lines: list[str] = []
    code = await play_all([script], Options(browser=False), lines.append)
    assert code == 0, "\n".join(lines)
    assert "As the script says" in lines[-1]


# -- the example that documents the language ------------------------------------------------------

EXAMPLE = text_of("scenario.yaml")
IN_COMMENTS = re.compile(r"^#   (- .+?|[a-z]+: .+?)(?: {3,}.*)?$", re.MULTILINE)


def test_the_example_names_every_step_and_fault() -> None:
    shown = [f"- {one}" for one in (*wording.OF_ALL, *wording.OF_STEPS, wording.BUSINESS)]
    shown += [f"- ann {one}" for one in wording.OF_PEOPLE if one not in {"", "says"}]
    shown += NAMES
    assert [one for one in shown if not re.search(rf"^#   {one}\b", EXAMPLE, re.MULTILINE)] == []


def test_what_the_example_shows_in_comments_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    shown = IN_COMMENTS.findall(EXAMPLE)
    assert len(shown) > 40
    for one in shown:
        above, step = ("", one) if one.startswith("- ") else (one, "- ann: hello")
        file.write_text(f"scenario: one\n{above}\nsteps:\n  {step}\n", "utf-8")
        assert load(file, sentences=SENTENCES).steps, one
    file.write_text(EXAMPLE, "utf-8")
    assert len(load(file, sentences=SENTENCES).steps) > 5
