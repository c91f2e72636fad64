"""The access token and the app secret: valid, for how long, for what, and of which app.

Source:
    facts page, section 14, checks 1 to 4.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from openparallax.doctor.finding import Group, Notes
from openparallax.doctor.graph import Answer
from openparallax.doctor.subject import Ward, short, text_of

HOUR_S: Final = 3600
DAY_S: Final = 86_400
SOON_S: Final = 7 * DAY_S
AT_ONCE_S: Final = 48 * HOUR_S

MESSAGING: Final = "whatsapp_business_messaging"
MANAGEMENT: Final = "whatsapp_business_management"

_NEW_TOKEN: Final = (
    "In Business settings, System users, make a new token for the app with"
    f" {MESSAGING} and {MANAGEMENT}, and put it where access_token is read from."
)
_GRANT: Final = (
    "In Business settings, System users, give the user the app and the WhatsApp account as assets,"
    f" then make a new token with {MESSAGING} and {MANAGEMENT}."
)
_SILENT: Final = "Answers cannot be sent; they wait."
_WHAT_BEFELL: Final = {
    463: "has expired",
    460: "was withdrawn: its user's password changed",
    467: "was withdrawn",
    458: "was withdrawn: the app was removed from its user",
    464: "was withdrawn: its user is not confirmed",
    492: "was withdrawn: its user lost the role that it was made with",
}


async def see_token(ward: Ward) -> bool:
    """Look at token and secret; False: nothing else can be asked of Graph."""
    subject = ward.subject
    by_self, *by_apps = await asyncio.gather(
        _debug(ward), *(_debug(ward, subject.app_id, one) for one in _asked_with(ward))
    )
    said = [by_self, *by_apps]
    if not any(one.is_graphs and not one.is_limited and not _is_down(one) for one in said):
        _not_reached(ward, by_self)
        return False
    ward.latest = next((one for one in said if one.is_ok), None)
    notes = ward.notes(Group.TOKEN)
    if any(one.wants_proof for one in said):
        _wants_proof(notes)
        ward.keep(notes)
        return False
    token = _of(said)
    ward.app_id = subject.app_id or text_of(token, "app_id")
    if ward.app_id and not by_apps and subject.app_secrets:
        by_apps = await _by_secrets(ward, ward.app_id)
        token = token or _of(by_apps)
    can_go_on = _see_details(ward, notes, token, by_self, by_apps)
    owner = text_of(token, "app_id")
    if subject.app_id and owner and owner != subject.app_id:
        by_apps = await _by_secrets(ward, owner)
        ward.app_id = owner
    ward.keep(notes)
    if can_go_on:
        _see_secret(ward, by_apps)
    return can_go_on


def _asked_with(ward: Ward) -> tuple[str, ...]:
    return ward.subject.app_secrets if ward.subject.app_id else ()


async def _by_secrets(ward: Ward, app_id: str) -> list[Answer]:
    secrets = ward.subject.app_secrets
    return list(await asyncio.gather(*(_debug(ward, app_id, one) for one in secrets)))


async def _debug(ward: Ward, app_id: str = "", secret: str = "") -> Answer:
    """What the token is good for, as the app says or, without one, the token itself."""
    asking = ward.graph.speaking_as(f"{app_id}|{secret}") if secret else ward.graph
    return await asking.get("debug_token", input_token=ward.subject.token)


def _of(said: list[Answer]) -> Mapping[str, Any]:
    """The details, from whoever tells them."""
    for answer in said:
        data = answer.body.get("data") if answer.is_ok else None
        if isinstance(data, Mapping):
            return data
    return {}


def _is_down(answer: Answer) -> bool:
    """Trouble on their side, which says nothing of what was asked."""
    return answer.code in (1, 2) and answer.status >= 500


def _not_reached(ward: Ward, answer: Answer) -> None:
    notes = ward.notes(Group.TOKEN)
    says = f"Graph {answer.explain()}; nothing of Meta's could be examined."
    if answer.is_limited:
        notes.warning(
            "graph.reachable",
            says,
            why="Meta counts what an app asks in an hour; sending may be refused for the same.",
            to_do="Wait an hour, and see what else asks Graph with this app.",
        )
    else:
        url = f"{ward.subject.graph_url}/{ward.subject.version}/"
        notes.failure(
            "graph.reachable",
            says,
            why="The daemon sends its answers there; until then they wait.",
            to_do="See graph_api_url, the network, DNS, and what a firewall between says.",
            command=f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {url}",
        )
    ward.keep(notes)


def _wants_proof(notes: Notes) -> None:
    notes.failure(
        "token.proof",
        "The app is set to demand appsecret_proof with every call.",
        why=f"The daemon sends none. {_SILENT}",
        to_do="In the app dashboard, App settings, Advanced, switch off Require app secret.",
    )


def _see_details(
    ward: Ward, notes: Notes, token: Mapping[str, Any], by_self: Answer, by_apps: list[Answer]
) -> bool:
    shown = short(ward.subject.token)
    if by_self.is_of_token or token.get("is_valid") is False:
        error = token.get("error")
        subcode = error.get("subcode") if isinstance(error, Mapping) else by_self.subcode
        befell = _WHAT_BEFELL.get(subcode if isinstance(subcode, int) else 0)
        notes.failure(
            "token.valid",
            f"The access token {shown} {befell or 'is not one that Meta knows'}.",
            why=_SILENT,
            to_do=_NEW_TOKEN if befell else f"Copy it again, whole. If that is it: {_NEW_TOKEN}",
        )
        return False
    is_refused = not by_self.is_ok and any(one.code == 100 for one in by_apps)
    if is_refused or _is_of_another(ward, token):
        owner = text_of(token, "app_id")
        whose = f"app {owner}" if owner else "another app"
        notes.failure(
            "token.app",
            f"The access token {shown} is of {whose}, and app_id says {ward.subject.app_id}.",
            why="Webhooks come through one app, and answers would go out through another.",
            to_do="Make the token in the app whose id and secret are configured, or configure"
            " those of the token's app.",
        )
        return bool(owner)
    if not token:
        ward.codes_told.add(by_self.code)
        notes.warning(
            "token.valid",
            f"What the access token {shown} is good for could not be examined:"
            f" Graph {by_self.explain()}.",
            why="It may lack what it needs, or end soon.",
            to_do="Configure app_id and app_secret: the app may ask about its tokens.",
        )
        return True
    notes.ok("token.valid", f"The access token {shown} is valid.")
    _see_kind(notes, token)
    _see_expiry(ward, notes, token)
    _see_scopes(ward, notes, token)
    return True


def _is_of_another(ward: Ward, token: Mapping[str, Any]) -> bool:
    owner = text_of(token, "app_id")
    return bool(owner and ward.subject.app_id and owner != ward.subject.app_id)


def _see_kind(notes: Notes, token: Mapping[str, Any]) -> None:
    kind = text_of(token, "type")
    if kind == "SYSTEM_USER":
        notes.ok("token.kind", "It is of a system user.")
        return
    whose = "of a person" if kind == "USER" else f"of the kind {kind[:20] or 'unknown'}"
    notes.failure(
        "token.kind",
        f"The access token is {whose}, not of a system user.",
        why="Such a token ends within hours or weeks, or when that person leaves.",
        to_do=_NEW_TOKEN,
    )


def _see_expiry(ward: Ward, notes: Notes, token: Mapping[str, Any]) -> None:
    ends_at = token.get("expires_at")
    if not isinstance(ends_at, int) or isinstance(ends_at, bool) or ends_at <= 0:
        notes.ok("token.expiry", "It does not expire.")
        return
    left_s = ends_at - ward.clock.now()
    left = f"{left_s / DAY_S:.0f} days" if left_s >= 2 * DAY_S else f"{left_s / HOUR_S:.0f} hours"
    renews = ward.subject.renews_token
    why = "Then answers cannot be sent any more, and Meta tells nobody."
    to_do = (
        "See in the daemon's log why it was not refreshed, or make a new one. "
        if renews
        else "Configure app_id and app_secret, and the daemon refreshes it in time; or make one"
        " that does not expire. "
    ) + _NEW_TOKEN
    says = f"The access token ends in {left}."
    if left_s < AT_ONCE_S:
        notes.failure("token.expiry", says, why=why, to_do=to_do)
    elif left_s < SOON_S:
        notes.warning("token.expiry", says, why=why, to_do=to_do)
    elif renews:
        notes.ok("token.expiry", f"It ends in {left}; the daemon refreshes it before.")
    else:
        notes.note("token.expiry", says, why=why, to_do=to_do)


def _see_scopes(ward: Ward, notes: Notes, token: Mapping[str, Any]) -> None:
    scopes = token.get("scopes")
    if isinstance(scopes, list):
        for scope, why in (
            (MESSAGING, _SILENT),
            (MANAGEMENT, "News about the account do not come, and the doctor sees little."),
        ):
            if scope not in scopes:
                ward.lacks.add(scope)
                notes.failure(
                    "token.scopes", f"The access token lacks {scope}.", why=why, to_do=_GRANT
                )
    waba_id = ward.subject.waba_id
    targets = _targets(token)
    if waba_id and any(waba_id not in ids for ids in targets):
        ward.lacks.add("account")
        notes.failure(
            "token.account",
            f"The access token is not for the WhatsApp account {waba_id}.",
            why=_SILENT,
            to_do=_GRANT + " Or waba_id is that of another account.",
        )
    if not ward.lacks and isinstance(scopes, list):
        notes.ok("token.scopes", "It may send, and manage the account.")


def _targets(token: Mapping[str, Any]) -> list[list[str]]:
    """For each of the two scopes that matter the accounts that it is limited to, if it is."""
    rows = token.get("granular_scopes")
    found = []
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("scope") in (MESSAGING, MANAGEMENT):
            ids = row.get("target_ids")
            if isinstance(ids, list) and ids:
                found.append([str(one) for one in ids])
    return found


def _see_secret(ward: Ward, by_apps: list[Answer]) -> None:
    """The call itself proves a secret: it is made with it."""
    subject = ward.subject
    notes = ward.notes(Group.APP)
    right = [one.is_ok for one in by_apps]
    if ward.app_id and not subject.app_id:
        notes.note(
            "app.id",
            f"app_id is not configured; the token is of the app {ward.app_id}.",
            why="With it and the app secret a token of 60 days is refreshed in time.",
            to_do=f'Write app_id: "{ward.app_id}" into {subject.place}.',
        )
    if any(right):
        secret = subject.app_secrets[right.index(True)]
        ward.app = ward.graph.speaking_as(f"{ward.app_id}|{secret}")
        notes.ok("app.secret", "The app secret is the app's.")
        if not all(right):
            notes.note(
                "app.secret",
                "Of the two app secrets one is not the app's (any more, or yet).",
                to_do="Once the exchange is over, take the old one away.",
            )
    elif by_apps and all(one.is_of_token or one.code == 101 for one in by_apps):
        notes.failure(
            "app.secret",
            f"The app secret is not that of the app {ward.app_id}.",
            why="Every webhook of Meta's is refused for its signature; Meta repeats each for days.",
            to_do="Copy App secret from the app dashboard, App settings, Basic, to where app_secret"
            " is read from.",
        )
    elif by_apps:
        ward.refused(notes, by_apps[0], "app.secret", "The app secret")
    elif not ward.app_id and subject.app_secrets:
        notes.note(
            "app.secret",
            "Whether the app secret is right could not be examined: the app's id is not known.",
            to_do=f'Write app_id: "..." into {subject.place}; it stands at the top of the app'
            " dashboard.",
        )
    ward.keep(notes)
