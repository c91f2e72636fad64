"""What no single key can be blamed for."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from openparallax.config.document import Tree
from openparallax.config.forms import is_loopback
from openparallax.config.models import Admin
from openparallax.config.problems import Problems, Where, suggest
from openparallax.config.section import Section
from openparallax.config.whatsapp import WhatsApp

_GAP: Final = re.compile(r"\{(\s*[A-Za-z_]\w*\s*)\}")
_NATIONAL: Final = re.compile(r"[\s(]*0(?!0)")
_VARIABLE: Final = re.compile(r"\$\$?\{[^}]*\}")
_SECRETS: Final = frozenset({"access_token", "app_secret", "api_key"})
_ELSEWHERE: Final = re.compile(r"\s*(\$\{|credential:|file:|\Z)")

WHATSAPP: Final[Where] = ("channels", "whatsapp")

_REMEDY: Final = "set the environment variable WHATSAPP_APP_SECRET (App settings, Basic)"


def check_signatures(whatsapp: Tree, problems: Problems) -> None:
    """Refuse to listen to the world where signatures cannot be checked.

    Looks at the resolved block and not at the checked one, so that it is told together with
    whatever else is wrong.
    """
    where = (*WHATSAPP, "app_secret")
    if not isinstance(whatsapp, dict) or "app_secret" in whatsapp or problems.blames(where):
        return
    host = whatsapp.get("webhook_host", _default(WhatsApp, "webhook_host"))
    if whatsapp.get("allow_unsigned_webhooks") is True or not isinstance(host, str):
        return
    if not is_loopback(host):
        problems.add(
            where,
            "is missing, and webhook_host is not loopback: without it signatures cannot be checked"
            f" and anybody could pose as Meta; {_REMEDY}, or listen on 127.0.0.1, or say that"
            " you want this with allow_unsigned_webhooks: true",
        )


def check_enabled(whatsapp: Tree, problems: Problems) -> None:
    """Refuse a file whose only channel is switched off."""
    if isinstance(whatsapp, dict) and whatsapp.get("enabled") is False:
        problems.add((*WHATSAPP, "enabled"), "is false, and there is no other channel to serve")


def check_accounts(whatsapp: Tree, problems: Problems) -> None:
    """Refuse numbers that are named twice, and a mixture of signed and unsigned ones.

    Where one number's signatures are checked and another's are not, whoever can reach the listener
    could pose as the second one's Meta.
    """
    accounts = whatsapp.get("accounts") if isinstance(whatsapp, dict) else None
    if not isinstance(whatsapp, dict) or not isinstance(accounts, list):
        return
    seen = [whatsapp.get("phone_number_id")]
    for index, number in enumerate(accounts):
        if not isinstance(number, dict):
            continue
        where = (*WHATSAPP, "accounts", index)
        id_ = number.get("phone_number_id")
        if id_ is not None and id_ in seen:
            problems.add((*where, "phone_number_id"), "is the id of another number of this file")
        seen.append(id_)
        is_on = number.get("enabled") is not False
        if is_on and "app_secret" in number and "app_secret" not in whatsapp:
            problems.add(
                (*where, "app_secret"),
                "is there, and the first number has none: give it one too, or signatures could"
                f" be checked for some only; {_REMEDY}",
            )


def check_ports(whatsapp: Tree, admin: Tree, problems: Problems) -> None:
    """Refuse two listeners in one place.

    A host that means every address collides with any other, and localhost with all of loopback.
    """
    public = whatsapp if isinstance(whatsapp, dict) else {}
    private = admin if isinstance(admin, dict) else {}
    port = public.get("webhook_port", _default(WhatsApp, "webhook_port"))
    if private.get("enabled") is False or not port or not isinstance(port, int):
        return
    if port != private.get("port", _default(Admin, "port")):
        return
    hosts = (
        public.get("webhook_host", _default(WhatsApp, "webhook_host")),
        private.get("host", _default(Admin, "host")),
    )
    if _meet(*hosts):
        where: Where = ("admin", "port")
        other = "channels.whatsapp.webhook_port"
        if "port" not in private:
            where, other = (*WHATSAPP, "webhook_port"), "admin.port"
        problems.add(where, f"is the port of {other} too, on the same host: choose another")


def check_notices(notices: Tree, sentences: Mapping[str, str], problems: Problems) -> None:
    """Refuse wordings for sentences that the daemon does not have, and gaps that nothing fills."""
    for name, wording in notices.items() if isinstance(notices, dict) else ():
        if name not in sentences:
            problems.add(
                ("notices", name),
                f"is not the name of a notice{suggest(name, sentences)} (known:"
                f" {', '.join(sorted(sentences))})",
            )
        elif isinstance(wording, str):
            filled = set(_GAP.findall(sentences[name]))
            for gap in _GAP.findall(_VARIABLE.sub("", wording)):
                if gap not in filled:
                    problems.add(("notices", name), _unfilled(gap, filled))


def _unfilled(gap: str, filled: set[str]) -> str:
    if not filled:
        return "has a word in braces, and nothing is filled in in this notice: leave the braces out"
    near = suggest(gap.strip(), filled).replace("mean ", "mean {").replace("?", "}?")
    known = ", ".join(f"{{{one}}}" for one in sorted(filled))
    return f"has a word in braces that nothing fills in{near} (known in this notice: {known})"


def warnings(whatsapp: WhatsApp, admin: Admin) -> tuple[str, ...]:
    """What the operator should see at every start."""
    found = []
    if admin.enabled and not is_loopback(admin.host):
        found.append(
            "admin.host is not loopback: there is no login, so whoever reaches it reads the metrics"
        )
    if not whatsapp.app_secret:
        found.append(
            "channels.whatsapp.app_secret is missing: signatures cannot be checked, so whoever"
            f" reaches the listener can pose as Meta; {_REMEDY}"
        )
    for number in whatsapp.numbers:
        name = "channels.whatsapp"
        if number.phone_number_id != whatsapp.phone_number_id:
            ids = [one.phone_number_id for one in whatsapp.accounts]
            name += f".accounts.{ids.index(number.phone_number_id)}"
        if not number.allowed_numbers:
            found.append(
                f"{name}.allowed_numbers is empty: everybody may write to this number, and"
                " you pay for the answers"
            )
        scheme, _, rest = number.graph_api_url.partition("://")
        if scheme.lower() == "http" and not is_loopback(_host_of(rest)):
            found.append(f"{name}.graph_api_url is not https: the access token travels unprotected")
    return tuple(found)


def national_numbers(whatsapp: Mapping[str, Tree]) -> tuple[str, ...]:
    """Warn of entries that nobody's number is like: WhatsApp's begin with their country code."""
    accounts = whatsapp.get("accounts")
    blocks = {"channels.whatsapp": whatsapp} | {
        f"channels.whatsapp.accounts.{index}": one
        for index, one in enumerate(accounts if isinstance(accounts, list) else [])
        if isinstance(one, dict)
    }
    found = []
    for name, block in blocks.items():
        listed = block.get("allowed_numbers")
        for index, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, str) and _NATIONAL.match(one):
                found.append(
                    f"{name}.allowed_numbers.{index} begins with 0 and matches nobody: write the"
                    ' number with its country code, such as "+49 151 12345678"'
                )
    return tuple(found)


def secrets_others_may_read(path: Path, tree: Tree) -> tuple[str, ...]:
    """Warn of secrets that stand in a file which every user of the machine may read.

    The verify token is not among them: whoever has it can answer Meta's question, and no more.
    """
    try:
        is_open = path.stat().st_mode & stat.S_IROTH
    except OSError:
        is_open = 0
    if not is_open:
        return ()
    found = ", ".join(secrets_in(tree, ""))
    if not found:
        return ()
    return (f"other users of this machine may read this file, and {found} stands in it: chmod 600",)


def secrets_in(tree: Tree, place: str) -> Iterator[str]:
    """The keys whose secrets stand in the file itself."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in _SECRETS:
                texts = value if isinstance(value, list) else [value]
                if any(isinstance(one, str) and not _ELSEWHERE.match(one) for one in texts):
                    yield f"{place}{key}"
            else:
                yield from secrets_in(value, f"{place}{key}.")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from secrets_in(value, f"{place}{index}.")


def _default(model: type[Section], name: str) -> Any:
    return model.model_fields[name].default


def _meet(one: Tree, other: Tree) -> bool:
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    names = {one.lower(), other.lower()}
    if "localhost" in names and is_loopback(one) and is_loopback(other):
        return True
    return len(names) == 1 or bool(names & {"0.0.0.0", "::"})  # noqa: S104 - compared, not used


def _host_of(rest: str) -> str:
    authority = rest.split("/", 1)[0]
    if authority.startswith("["):
        return authority[1:].split("]", 1)[0]
    return authority.split(":", 1)[0]
