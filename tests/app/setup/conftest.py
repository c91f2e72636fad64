from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from openparallax import config
from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.app.setup import places, run, terminal
from openparallax.app.setup.answers import Answers
from openparallax.session.notices import SENTENCES
from tests.app.setup.scripted import Scripted

Init = Callable[..., int]


@cache
def _schema() -> dict[str, Any]:
    """The real one, made once: it is the same for every test, and describing it takes time."""
    return config.schema(engine_catalog(), stage_catalog(), SENTENCES)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it; the folders of the system are below it, too."""
    schema = _schema()
    monkeypatch.setattr(config, "schema", lambda *_: schema)
    monkeypatch.setattr(places, "CREDSTORE", tmp_path / "credstore")
    monkeypatch.setattr(places, "SYSTEM_CONFIG", tmp_path / "etc" / "config.yaml")
    return tmp_path


@pytest.fixture
def converse(home: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Run `init` with a scripted person, offline; the exit code."""

    def converse(person: Scripted, given: Answers | None = None, **environment: str) -> int:
        monkeypatch.setattr(terminal, "is_there", lambda: True)
        monkeypatch.setattr(run, "Terminal", lambda: person)
        wanted = run.Wanted(config=home / "config.yaml", given=given or Answers(), is_offline=True)
        return run.run(wanted, {"HOME": str(home), **environment})

    return converse
