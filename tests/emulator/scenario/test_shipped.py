"""The scripts that come with the project, each against the daemon as a process of its own."""

from pathlib import Path

import pytest

from openparallax.app.dev.run import Options
from openparallax.app.dev.scenarios import play_all

SCRIPTS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def test_there_are_scripts() -> None:
    assert "off-the-record" in [script.stem for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
async def test_it_goes_as_the_script_says(script: Path) -> None:
    lines: list[str] = []
    code = await play_all([script], Options(browser=False), lines.append)
    assert code == 0, "\n".join(lines)
    assert "As the script says" in lines[-1]
