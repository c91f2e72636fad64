"""From answers to files: which lines the configuration gets, and where each secret lies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openparallax import config
from openparallax.app.setup.answers import SECRETS, Answers, Offers
from openparallax.app.setup.editing import change
from openparallax.app.setup.existing import Existing
from openparallax.app.setup.files import File
from openparallax.app.setup.wording import SCHEMA_NAME, render
from openparallax.config import Catalog
from openparallax.config.document import Tree
from openparallax.session.notices import SENTENCES

_IN_ORDER: Final = (
    *("app_id", "app_secret", "phone_number_id", "waba_id"),
    *("access_token", "verify_token", "public_url"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things are to lie.

    Attributes:
        config: The configuration; absolute.
        credstore: The folder of the service manager's credentials; None: secrets lie in a folder
            beside the configuration.
        group: Of the service's user, which reads the configuration; None: nobody else does.
    """

    config: Path
    credstore: Path | None = None
    group: int | None = None

    @property
    def credentials(self) -> Path:
        """The folder of the secrets."""
        if self.credstore is not None:
            return self.credstore
        stem = self.config.stem
        name = "credentials" if stem == "config" else f"{stem}.credentials"
        return self.config.parent / name

    def reference(self, name: str) -> str:
        """How the configuration names the secret in the file ``name``."""
        if self.credstore is not None:
            return f"credential:{name}"
        return f"file:{self.credentials.name}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written.

    Attributes:
        files: Secrets first, the configuration last.
        keeps_comments: Those of the configuration that is there.
        is_new: None was there.
    """

    files: tuple[File, ...] = field(repr=False)
    keeps_comments: bool
    is_new: bool

    @property
    def secrets(self) -> tuple[Path, ...]:
        return tuple(one.path for one in self.files if not one.keeps_mode)


def make(
    answers: Answers,
    offers: Offers,
    existing: Existing | None,
    layout: Layout,
    *,
    about: str,
    catalogs: tuple[Catalog, Catalog],
) -> Plan:
    """Lay out every file; ``about`` says in a comment which number it is."""
    secrets: dict[str, str] = {}
    whatsapp = _whatsapp(answers, offers, existing, layout, secrets)
    old_engine = existing.tree.get("engine") if existing else None
    engine = _engine(answers, old_engine, layout, secrets, is_new=existing is None)
    if existing is None:
        text, keeps = render(whatsapp, engine or {}, about=about), True
    else:
        text, keeps = change(existing, whatsapp, engine)
    folder_mode = 0o700 if layout.group is None else 0o750
    described = json.dumps(config.schema(*catalogs, SENTENCES), indent=2) + "\n"
    of_config: dict[str, Any] = {
        "mode": 0o600 if layout.group is None else 0o640,
        "folder_mode": folder_mode,
        "group": layout.group,
        "keeps_mode": True,
    }
    schema = layout.config.with_name(SCHEMA_NAME)
    files = [
        *(
            File(path=layout.credentials / name, text=f"{value}\n")
            for name, value in secrets.items()
        ),
        File(path=schema, text=described, keeps_copy=False, **of_config),
        File(path=layout.config, text=text, **of_config),
    ]
    return Plan(files=tuple(files), keeps_comments=keeps, is_new=existing is None)


def _whatsapp(
    answers: Answers,
    offers: Offers,
    existing: Existing | None,
    layout: Layout,
    secrets: dict[str, str],
) -> dict[str, Tree]:
    """The lines that are new, in the order of the file; None takes one away."""
    there = _block(_block(existing.tree.get("channels")).get("whatsapp")) if existing else {}
    lines: dict[str, Tree] = {}
    for name in _IN_ORDER:
        value = getattr(answers, name)
        if not value:
            continue
        if name in SECRETS:
            secrets[f"whatsapp_{name}"] = value
            if existing is not None:
                lines[f"{name}_env"] = None
            lines[name] = layout.reference(f"whatsapp_{name}")
        elif name not in there or value != offers.values.get(name):
            lines[name] = value
    if answers.webhook_port not in (None, offers.webhook_port):
        lines["webhook_port"] = answers.webhook_port
    if answers.graph_api_url not in (None, offers.graph_api_url):
        lines["graph_api_url"] = answers.graph_api_url
    if answers.allowed is not None and answers.allowed != offers.allowed:
        lines["allowed_numbers"] = list(answers.allowed)
    return lines


def _block(tree: Tree) -> Mapping[str, Tree]:
    return tree if isinstance(tree, dict) else {}


def _engine(
    answers: Answers, old: Tree, layout: Layout, secrets: dict[str, str], *, is_new: bool
) -> dict[str, Tree] | None:
    """The whole block; None leaves it as it is."""
    before: dict[str, Tree] = dict(old) if isinstance(old, dict) else {}
    is_other = str(before.get("type", "anthropic")) != answers.engine
    if not (is_new or is_other or answers.engine_secrets or answers.engine_settings):
        return None
    block: dict[str, Tree] = {"type": answers.engine}
    if not is_other:
        block |= before
    for name, value in answers.engine_settings.items():
        block[name] = value
    for name, value in answers.engine_secrets.items():
        block.pop(f"{name}_env", None)
        secrets[f"{answers.engine}_{name}"] = value
        block[name] = layout.reference(f"{answers.engine}_{name}")
    return block
