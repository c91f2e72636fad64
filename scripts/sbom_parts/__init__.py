"""What the installed daemon is made of, as a CycloneDX bill of materials.

By Python's own `importlib.metadata`, and not by a tool for it: such tools list a whole environment,
tests and all, know nothing of the files that this repository holds of others (the phone page's
templates), and bring a score of packages of their own, which would have to be trusted to say what
is to be trusted.

Source:
    CycloneDX 1.6, JSON; Package URL, type pypi; PyPA, "Core metadata".
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = "openparallax"
VENDORED = Path("openparallax/emulator/phone/static/vendor")
_FIRST_LINE = re.compile(r"# (\S+) (\S+)\n")
_SUM = re.compile(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)
_LICENCE = re.compile(r"\((\w[\w.-]*), see LICENSE\)")


def needed(root: str = ROOT) -> dict[str, tuple[Distribution, list[str]]]:
    """All that ``root`` needs to run here, itself too: by normal name, with what each needs itself.

    Raises:
        importlib.metadata.PackageNotFoundError: Something of it is not installed.
    """
    found: dict[str, tuple[Distribution, list[str]]] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        one = distribution(name)
        needs = [*_needs(one, extras)]
        before = found.get(normal(name), (one, []))[1]
        found[normal(name)] = one, sorted({*before, *(normal(need.name) for need in needs)})
        for need in needs:
            wanted = (normal(need.name), frozenset(need.extras))
            if wanted not in seen:
                seen.add(wanted)
                waiting.append(wanted)
    return found


def _needs(one: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for line in one.requires or []:
        need = Requirement(line)
        places = [{"extra": extra} for extra in ("", *extras)]
        if need.marker is None or any(need.marker.evaluate(place) for place in places):
            yield need


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(folder: Path) -> dict[str, Any]:
    """The bill of the daemon as installed here; ``folder`` is the checkout, for what it holds."""
    packages = needed()
    vendored = _vendored(folder / VENDORED)
    refs = {name: _purl(name, one.version) for name, (one, _) in packages.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**_component(ROOT, packages[ROOT][0]), "type": "application"},
        },
        "components": [
            *(_component(name, one) for name, (one, _) in sorted(packages.items()) if name != ROOT),
            vendored,
        ],
        "dependencies": [
            *(
                {
                    "ref": refs[name],
                    "dependsOn": [refs[need] for need in needs]
                    + ([vendored["bom-ref"]] if name == ROOT else []),
                }
                for name, (_, needs) in sorted(packages.items())
            ),
            {"ref": vendored["bom-ref"], "dependsOn": []},
        ],
    }


def requirements() -> str:
    """The packages from an index, a line each with its version."""
    return "".join(
        f"{name}=={one.version}\n" for name, (one, _) in sorted(needed().items()) if name != ROOT
    )


def _component(name: str, one: Distribution) -> dict[str, Any]:
    purl = _purl(name, one.version)
    licences = _licences(one)
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": one.version,
        "purl": purl,
        **({"licenses": licences} if licences else {}),
    }


def _licences(one: Distribution) -> list[dict[str, Any]]:
    """As an expression where the package has one, else by the names that it gives."""
    if "License-Expression" in one.metadata:
        return [{"expression": one.metadata["License-Expression"]}]
    classes = one.metadata.get_all("Classifier") or []
    names = [line.rpartition(" :: ")[2] for line in classes if line.startswith("License :: ")]
    said = one.metadata["License"].strip() if "License" in one.metadata else ""
    if not names and said:
        names = [said.splitlines()[0]]
    return [{"license": {"name": name}} for name in names]


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version.replace('+', '%2B')}"


def _vendored(folder: Path) -> dict[str, Any]:
    """What stands in this repository and is of others, by what its page says of it."""
    text = (folder / "README.md").read_text("utf-8")
    first, licence = _FIRST_LINE.match(text), _LICENCE.search(text)
    if first is None or licence is None:
        raise ValueError(f"{folder}/README.md does not begin with a name and a version")
    name, version = first.groups()
    purl = f"pkg:npm/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [{"license": {"id": licence[1]}}],
        "components": [
            {
                "type": "file",
                "bom-ref": f"{purl}#{path}",
                "name": path,
                "hashes": [{"alg": "SHA-256", "content": content}],
            }
            for path, content in _SUM.findall(text)
        ],
    }
