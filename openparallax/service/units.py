"""The units as text: from a plan, and from nothing else."""

from collections.abc import Iterator
from pathlib import Path

from openparallax.service import texts
from openparallax.service.layout import Layout
from openparallax.service.plan import Plan

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@=,")


def files(plan: Plan, layout: Layout) -> dict[Path, str]:
    """Every file of an installation, in the order in which they are written."""
    found = {layout.service: service(plan, layout)}
    if plan.listens:
        found[layout.socket] = socket(plan, layout)
    if layout.is_user:
        return found
    return {layout.sysusers: texts.SYSUSERS, layout.tmpfiles: tmpfiles(plan), **found}


def service(plan: Plan, layout: Layout) -> str:
    """The service's unit."""
    user = "--user " if layout.is_user else ""
    return "\n".join(
        [
            _head(layout, "openparallax"),
            texts.UNIT + _order(plan, layout) + texts.NEVER_GIVE_UP,
            "[Service]\n"
            "Type=notify\n"
            f"NotifyAccess={'all' if plan.is_one_file else 'main'}\n"
            f"ExecStart={' '.join(_run(plan))}\n"
            + texts.RESTART.format(user=user, plus="" if layout.is_user else "+"),
            texts.TIMES.format(drain=f"{plan.drain_s:g}", stop=plan.stop_s),
            *_own(plan, layout),
            texts.MEMORY,
            (texts.RIGHTS_OF_USER if layout.is_user else texts.FILES_AND_RIGHTS) + texts.CALLS,
            f"[Install]\nWantedBy={'default' if layout.is_user else 'multi-user'}.target\n",
        ]
    )


def socket(plan: Plan, layout: Layout) -> str:
    """The socket's unit."""
    return (
        f"{_head(layout, 'openparallax.socket')}\n{texts.SOCKET}"
        + "".join(f"ListenStream={one}\n" for one in plan.listens)
        + ("# An address that this machine has not got yet when it boots.\nFreeBind=yes\n")
        * plan.is_free_bind
        + texts.SOCKET_END
    )


def tmpfiles(plan: Plan) -> str:
    """What systemd-tmpfiles sees to: folders, and who may read the configuration."""
    lines = [texts.TMPFILES]
    lines += [
        f"z {_escaped(str(one))} 0640 root openparallax -\n"
        for one in (plan.config or Path("/etc/openparallax/config.yaml"), *plan.readable)
    ]
    for folder in dict.fromkeys(one.parent for one in plan.readable):
        if folder != Path("/etc/openparallax"):
            lines.append(f"z {_escaped(str(folder))} 0750 root openparallax -\n")
    if plan.writes is not None:
        lines.append(f"d {_escaped(str(plan.writes))} 0700 openparallax openparallax -\n")
    return "".join(lines)


def _head(layout: Layout, name: str) -> str:
    user = "--user " if layout.is_user else ""
    return texts.HEAD.format(edit=f"systemctl {user}edit {name}")


def _order(plan: Plan, layout: Layout) -> str:
    network = [] if layout.is_user else ["network-online.target"]
    wanted = " ".join([*network, *(["openparallax.socket"] if plan.listens else [])])
    part = "PartOf=openparallax.socket\n" if plan.listens else ""
    return (f"After={wanted}\nWants={wanted}\n" if wanted else "") + part


def _run(plan: Plan) -> Iterator[str]:
    yield from (_quoted(word) for word in plan.program)
    yield "serve"
    if plan.config is not None:
        yield from ("-c", _quoted(str(plan.config)))


def _own(plan: Plan, layout: Layout) -> Iterator[str]:
    """What differs between a service of the machine and of a user."""
    if not layout.is_user:
        yield "User=openparallax\nGroup=openparallax\nUMask=0077\n"
        more = "" if plan.writes is None else f"ReadWritePaths={_quoted(str(plan.writes))}\n"
        yield texts.FOLDERS + more
    else:
        yield "UMask=0077\n"
    loaded = "".join(
        f"LoadCredential={name}{'' if path is None else f':{_specified(str(path))}'}\n"
        for name, path in plan.credentials
    )
    if loaded:
        yield (texts.CREDENTIALS if not layout.is_user else "") + loaded
    variables = "%E/openparallax" if layout.is_user else "/etc/openparallax"
    yield texts.VARIABLES.format(path=f"{variables}/environment") + "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in plan.variables
    )


def _specified(text: str) -> str:
    """With what would be a specifier written as what it is."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """One word of a command line or of a list of a unit.

    Source:
        systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
    """
    found = _specified(word).replace("$", "$$")
    if set(found) <= _PLAIN | {"%", "$"}:
        return found
    return '"' + found.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(path: str) -> str:
    """A path of tmpfiles.d. Source: tmpfiles.d(5)."""
    return f'"{_specified(path)}"' if " " in path else _specified(path)
