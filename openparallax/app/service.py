"""What a service is made of, seen from here: the settings as it will see them, and this program."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openparallax.app.daemon import most_stop_s
from openparallax.app.settings import load
from openparallax.build import is_one_file
from openparallax.config import Settings
from openparallax.config.document import read
from openparallax.config.problems import Problems
from openparallax.errors import ConfigError, Refusal
from openparallax.service import plan
from openparallax.service.layout import CREDSTORES, Layout

_PASSED_ON = ("HOME", "USER", "LOGNAME", "PATH", "LANG")
_OF_XDG = ("XDG_STATE_HOME", "XDG_CONFIG_HOME")
_ENCRYPTED = "etc/credstore.encrypted"
_HINT = (
    "This is how the service sees it: without the variables of your shell. Secrets come from"
    " credentials ({credentials}), from files (file:PATH), or from variables in {variables}."
)


def this_program(layout: Layout) -> tuple[str, ...]:
    """What runs ``openparallax`` as it is running now.

    Raises:
        Refusal: The service could not run it.
    """
    if is_one_file():
        found: tuple[str, ...] = (os.path.abspath(sys.executable),)  # noqa: PTH100 - links stay
    elif Path(sys.argv[0]).name == "openparallax" and (called := shutil.which(sys.argv[0])):
        found = (os.path.abspath(called),)  # noqa: PTH100 - what pipx links to changes
    else:
        found = (os.path.abspath(sys.executable), "-m", "openparallax")  # noqa: PTH100 - a venv's is a link
    real = Path(found[0]).resolve()
    prefix = Path(sys.prefix)
    if any("/.cache/" in f"{one}/" or "/archive-v" in str(one) for one in (real, prefix)):
        raise Refusal(
            f"this program lies in a cache ({prefix}) and may be gone tomorrow: install it first,"
            " such as by uv tool install openparallax, and run that one."
        )
    if not layout.is_user:
        for one in (Path(found[0]), real, prefix, Path(sys.base_prefix)):
            if any(one.is_relative_to(layout.root / home) for home in plan.HIDDEN):
                raise Refusal(
                    f"this program, or its Python, lies in a home folder ({one}), which a service"
                    " of the machine does not see. Install it for the machine: python3 -m"
                    " venv /opt/openparallax && /opt/openparallax/bin/pip install openparallax, and"
                    " run that one; or install the service for yourself alone: --user."
                )
    _try(found)
    return found


def _try(program: tuple[str, ...]) -> None:
    """Run it as the service manager would: from elsewhere, and without this shell's variables."""
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [*program, "--version"],
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        is_fine = done.returncode == 0 and done.stdout.startswith(b"openparallax ")
    except (OSError, subprocess.TimeoutExpired):
        is_fine = False
    if not is_fine:
        raise Refusal(
            f"`{' '.join(program)} --version` does not work from another folder and without your"
            " shell's variables, so a service could not run it. Install the package (pip install .)"
            " and run the openparallax that comes of it."
        )


def settings_of_service(file: Path, layout: Layout, environment: Mapping[str, str]) -> Settings:
    """The settings as the service will see them.

    Raises:
        ConfigError: They are not usable there, with what to do.
    """
    with _credentials(layout) as folder:
        seen = variables(layout, environment) | {"CREDENTIALS_DIRECTORY": str(folder)}
        if not layout.is_user:
            seen |= {"STATE_DIRECTORY": str(layout.state), "HOME": str(layout.state)}
        try:
            return load(file, environment=seen)
        except ConfigError as error:
            places = layout.credentials if layout.is_user else f"{layout.root / CREDSTORES[0]}"
            hint = _HINT.format(credentials=places, variables=layout.variables)
            raise ConfigError([*error.problems, hint]) from None


def make_plan(
    settings: Settings, layout: Layout, program: tuple[str, ...], environment: Mapping[str, str]
) -> plan.Plan:
    """What the units are made of.

    Raises:
        Refusal: A service cannot work with these settings.
    """
    tree: Any = read(settings.file, Problems(str(settings.file)))
    own = [(name, environment[name]) for name in _OF_XDG if environment.get(name)]
    return plan.make(
        settings,
        layout,
        program=program,
        most_stop_s=most_stop_s(settings),
        tree=tree,
        variables=tuple(own) if layout.is_user else (),
        is_one_file=is_one_file(),
    )


def variables(layout: Layout, environment: Mapping[str, str]) -> dict[str, str]:
    """Of the service: those of its manager, and of its file of variables."""
    names = (*_PASSED_ON, *_OF_XDG) if layout.is_user else _PASSED_ON[3:]
    found = {name: environment[name] for name in names if name in environment}
    try:
        text = layout.variables.read_text("utf-8", "replace")
    except OSError:
        return found
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name.isidentifier():
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name] = value[1:-1] if is_quoted else value.strip()
    return found


@contextmanager
def _credentials(layout: Layout) -> Iterator[Path]:
    """A folder as the service manager makes it: names that lead to the files, the strongest first.

    What is encrypted only counts as being there.
    """
    folder = Path(tempfile.mkdtemp(prefix="openparallax-"))
    try:
        places = [layout.credentials]
        places += [] if layout.is_user else [layout.root / one for one in CREDSTORES]
        for place in (*places, layout.root / _ENCRYPTED):
            if not place.is_dir() or not os.access(place, os.R_OK | os.X_OK):
                continue
            for one in place.iterdir():
                link = folder / one.name
                if not link.is_symlink() and not link.exists():
                    if place.name == Path(_ENCRYPTED).name:
                        link.write_text("encrypted", "utf-8")
                    else:
                        link.symlink_to(one)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
