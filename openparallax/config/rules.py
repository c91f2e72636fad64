"""What no single key can be blamed for, and what is not in this version yet."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from openparallax.config.document import Tree
from openparallax.config.forms import is_loopback
from openparallax.config.models import WhatsApp
from openparallax.config.places import state_file
from openparallax.config.problems import Problems, Where, suggest
from openparallax.config.secrets import Sources

WHATSAPP: Final[Where] = ("channels", "whatsapp")

# To pass over these in silence would be dangerous: words kept for ever, or sent in the clear.
_NOT_YET: Final[tuple[Where, ...]] = (
    (*WHATSAPP, "tls"),
    ("storage", "retention_days"),
)
_REMEDY: Final = "set the environment variable WHATSAPP_APP_SECRET (App settings, Basic)"
_SQLITE: Final = "sqlite:///"


def take_out_not_yet(tree: dict[str, Tree], problems: Problems) -> None:
    """Refuse what is not there yet and take it out of the tree, so that its shape is not judged."""
    for where in _NOT_YET:
        block = _at(tree, where[:-1])
        if isinstance(block, dict) and block.get(str(where[-1])) not in (None, []):
            problems.add(where, "is not in this version yet; remove it")
            del block[str(where[-1])]


def check_signatures(whatsapp: Tree, problems: Problems) -> None:
    """Refuse to listen to the world where signatures cannot be checked.

    Looks at the resolved block and not at the checked one, so that it is told together with
    whatever else is wrong.
    """
    where = (*WHATSAPP, "app_secret")
    if not isinstance(whatsapp, dict) or "app_secret" in whatsapp or problems.blames(where):
        return
    host = whatsapp.get("webhook_host", WhatsApp.model_fields["webhook_host"].default)
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


def check_notices(notices: Tree, names: Collection[str], problems: Problems) -> None:
    """Refuse wordings for sentences that the daemon does not have."""
    for name in notices if isinstance(notices, dict) else ():
        if name not in names:
            problems.add(
                ("notices", name),
                f"is not the name of a notice{suggest(name, names)} (known:"
                f" {', '.join(sorted(names))})",
            )


def database_path(url: str | None, sources: Sources, problems: Problems) -> Path:
    """The database's file; relative ones lie where the configuration lies."""
    where = ("storage", "url")
    nowhere = Path()
    if url is None:
        default = state_file(sources.environment)
        if default is None:
            problems.add(where, "is missing, and there is no home folder to put the database in")
        return default or nowhere
    if not url.startswith(_SQLITE):
        problems.add(where, "must be sqlite:///PATH; no other database is known in this version")
        return nowhere
    name = url.removeprefix(_SQLITE)
    if not name.strip("/") or name.endswith("/") or name == ":memory:":
        problems.add(where, "must name a file after sqlite:///, with one more slash if absolute")
        return nowhere
    if "?" in name or "#" in name or not name.isprintable():
        problems.add(where, "must be a plain path after sqlite:///, without ? or #")
        return nowhere
    return sources.path(name)


def warnings(tree: Mapping[str, Tree], whatsapp: WhatsApp) -> tuple[str, ...]:
    """What the operator should see at every start.

    Args:
        tree: The file as it was written, to tell what was asked for from what is a default.
        whatsapp: The same, checked.
    """
    found = []
    admin = tree.get("admin")
    if isinstance(admin, Mapping) and admin.get("enabled") is not False:
        found.append("admin has no effect in this version")
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


def _host_of(rest: str) -> str:
    authority = rest.split("/", 1)[0]
    if authority.startswith("["):
        return authority[1:].split("]", 1)[0]
    return authority.split(":", 1)[0]


def _at(tree: Tree | Mapping[str, Tree], where: Where) -> Tree | Mapping[str, Tree]:
    for step in where:
        tree = tree.get(str(step)) if isinstance(tree, Mapping) else None
    return tree
