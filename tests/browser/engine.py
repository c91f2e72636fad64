"""An engine whose answers are prepared, for `openparallax dev` as a person starts it.

It comes as any plugin does: an installed distribution that names it in an entry point.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.source import ROOT

NAME = "prepared_for_tests"
_PLUGIN = '''\
"""Answers from a file, each after its seconds; what is not in it is said back, once it may be."""

import asyncio
import json
from pathlib import Path

from openparallax.plugin import Reply

HERE = Path(__file__).parent


class Prepared:
    keeps_content = False
    writes_markdown = True

    def __init__(self, settings, tools):
        self._answers = json.loads((HERE / "answers.json").read_text("utf-8"))

    async def answer(self, turn):
        if turn.text in self._answers:
            seconds, answer = self._answers[turn.text]
            await asyncio.sleep(seconds)
            return Reply(text=answer)
        while not (HERE / "go").exists():
            await asyncio.sleep(0.01)
        return Reply(text=f"**You said:** {turn.text}")

    async def close(self):
        pass
'''


class Engine:
    """It, installed in a folder.

    Args:
        folder: Where it goes.
        answers: What is said -> after how many seconds, and what is answered.
    """

    def __init__(
        self, folder: Path, answers: Mapping[str, tuple[float, str]] | None = None
    ) -> None:
        self._go = folder / "go"
        facts = folder / "prepared_plugin-0.dist-info"
        facts.mkdir(parents=True)
        (folder / "prepared_plugin.py").write_text(_PLUGIN, "utf-8")
        (folder / "answers.json").write_text(json.dumps(answers or {}), "utf-8")
        (facts / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: prepared-plugin\nVersion: 0\n"
        )
        (facts / "entry_points.txt").write_text(
            f"[openparallax.engines]\n{NAME} = prepared_plugin:Prepared\n"
        )
        self.environment = {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}

    def may_answer(self, *, may: bool) -> None:
        """Whether what is not prepared is answered; until then it is typing."""
        if may:
            self._go.touch()
        else:
            self._go.unlink(missing_ok=True)
