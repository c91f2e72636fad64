"""The bill of materials is whole, and every name in it leads somewhere."""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _made(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own script
        [ROOT / "scripts" / "sbom", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OPENPARALLAX_PYTHON": sys.executable},
    )
    return done.stdout


def test_a_bill_of_materials_is_whole(tmp_path: Path) -> None:
    assert _made(str(tmp_path / "bom.json")) == ""
    bill: dict[str, Any] = json.loads((tmp_path / "bom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)

    named = {one["name"]: one for one in bill["components"]}
    for name in ("aiohttp", "anthropic", "click", "pydantic", "pydantic-core", "pyyaml", "uvloop"):
        assert named[name]["version"] == version(name)
        assert named[name]["purl"] == f"pkg:pypi/{name}@{version(name)}"
        assert named[name]["licenses"]
    assert bill["metadata"]["component"]["name"] == "openparallax"
    assert not {"pytest", "ruff", "mypy"} & named.keys()  # what runs is listed, not what tests it

    lit = named["lit-html"]
    vendor = ROOT / "openparallax" / "emulator" / "phone" / "static" / "vendor"
    listed = {one["name"]: one["hashes"][0]["content"] for one in lit["components"]}
    files = {str(path.relative_to(vendor)) for path in vendor.rglob("*.js")}
    assert listed.keys() == files
    for name, content in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == content

    refs = [one["bom-ref"] for one in bill["components"]]
    refs.append(bill["metadata"]["component"]["bom-ref"])
    assert len(set(refs)) == len(refs)
    assert {one["ref"] for one in bill["dependencies"]} == set(refs)
    for one in bill["dependencies"]:
        assert set(one["dependsOn"]) <= set(refs)
    reached, waiting = set(), [bill["metadata"]["component"]["bom-ref"]]
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += needs[ref]
    assert reached == set(refs)


def test_the_audit_asks_about_the_same_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    lines = importlib.import_module("sbom_parts").requirements().splitlines()
    assert f"aiohttp=={version('aiohttp')}" in lines
    assert not [line for line in lines if line.startswith("openparallax")]
