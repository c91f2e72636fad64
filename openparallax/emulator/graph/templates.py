"""``/{waba_id}/message_templates``: list, hand in, change, delete."""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from openparallax.emulator.account import Account
from openparallax.emulator.graph.asked import Answer, Asked, Routes
from openparallax.emulator.graph.errors import GraphError
from openparallax.emulator.graph.fields import missing, names, no_object, page, select, text_of
from openparallax.emulator.graph.template_news import (
    EVENTS,
    STATUSES,
    quality_update,
    status_update,
)
from openparallax.emulator.ids import new_media_id
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.world import World

MOST_TEMPLATES = 250
"""Source: facts, section 2.8."""
CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
USUAL = ("name", "parameter_format", "components", "language", "status", "category", "id")
FIELDS = (
    *USUAL,
    "previous_category",
    "correct_category",
    "quality_score",
    "rejected_reason",
    "rejection_info",
    "sub_category",
    "cta_url_link_tracking_opted_out",
    "degrees_of_freedom_spec",
    "is_primary_device_delivery_only",
    "library_template_name",
    "message_send_ttl_seconds",
    "specific_rejection_reason",
    "bid_spec",
    "creative_sourcing_spec",
    "display_format",
)
KIND = "WhatsAppMessageTemplate"
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
_LIMITS: Final = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
MOST_COMPONENTS = 20


class Templates:
    """Keeps `Account.templates`, whose rows are as Graph lists them."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._delivery = delivery

    def routes(self) -> Routes:
        return {
            ("GET", "message_templates"): self._list,
            ("POST", "message_templates"): self._create,
            ("DELETE", "message_templates"): self._delete,
        }

    def find(self, template_id: str) -> dict[str, Any] | None:
        templates = self._world.account.templates
        return next((one for one in templates if str(one.get("id")) == template_id), None)

    def describe(self, asked: Asked) -> Answer:
        fields = asked.query.get("fields")
        return Answer(select(_node(self._of(asked)), fields, USUAL, KIND))

    def change(self, asked: Asked) -> Answer:
        """``POST /{template_id}``: it is looked at anew."""
        template = self._of(asked)
        body = asked.json()
        new: dict[str, Any] = {}
        if "category" in body:
            new["category"] = _category(body)
        if "components" in body:
            new["components"] = _components(body)
        if not new:
            raise missing("components")
        template.update(new)
        self._hand_in(template)
        said = {name: template.get(name) for name in ("id", "name", "category")}
        return Answer({"success": True, **said})

    async def _list(self, asked: Asked) -> Answer:
        """Source: Meta's OpenAPI, for the filters; what ``summary`` says is unsure."""
        account = self._waba(asked)
        rows = [one for one in account.templates if _fits(one, asked.query)]
        fields = asked.query.get("fields")
        shown = page(
            asked,
            [select(_node(one), fields, USUAL, KIND) for one in rows],
            [str(one.get("id")) for one in rows],
        )
        if wanted := names(asked.query.get("summary", "")):
            total = {
                "total_count": len(rows),
                "message_template_count": len(account.templates),
                "message_template_limit": MOST_TEMPLATES,
                "are_translations_complete": True,
            }
            shown["summary"] = {name: total[name] for name in wanted if name in total}
        return Answer(shown)

    async def _create(self, asked: Asked) -> Answer:
        account = self._waba(asked)
        body = asked.json()
        name = text_of(body, "name", 512)
        if not name:
            raise missing("name")
        if not _NAME.fullmatch(name):
            raise _invalid("name: lower case letters, digits and underscores", 2388023)
        language = text_of(body, "language", 16)
        if not language:
            raise missing("language")
        if not _LANGUAGE.fullmatch(language):
            raise _invalid("language: a code such as en or en_US")
        template = {
            "id": new_media_id(),
            "name": name,
            "language": language,
            "category": _category(body),
            "parameter_format": (text_of(body, "parameter_format", 16) or "POSITIONAL").upper(),
            "components": _components(body),
            "status": "PENDING",
        }
        if template["parameter_format"] not in ("POSITIONAL", "NAMED"):
            raise _invalid("parameter_format: POSITIONAL or NAMED")
        if any((one.get("name"), one.get("language")) == (name, language) for one in self._all()):
            raise _invalid("There is already content in this language for this template", 2388024)
        if len(account.templates) >= MOST_TEMPLATES:
            raise _invalid("The number of templates of this account is exhausted", 2388019)
        account.templates.append(template)
        self._hand_in(template)
        return Answer({name: template[name] for name in ("id", "status", "category")})

    async def _delete(self, asked: Asked) -> Answer:
        """By name, in all languages; with ``hsm_id`` that one, whose name must be given too."""
        account = self._waba(asked)
        said = {**asked.query, **asked.json()}
        name, template_id = text_of(said, "name", 512), text_of(said, "hsm_id", 64)
        if not name:
            raise missing("name")
        gone = [
            one
            for one in account.templates
            if one.get("name") == name and template_id in ("", str(one.get("id")))
        ]
        if not gone:
            raise GraphError(
                100, "Message template not found", subcode=2593002, message="Invalid parameter"
            )
        account.templates[:] = [one for one in account.templates if one not in gone]
        for one in gone:
            at = self._world.clock.now()
            self._delivery.post(status_update(one, "DELETED", "NONE", at=at))
        return Answer({"success": True})

    def review(
        self, template_id: str, event: str, reason: str = "NONE", recommendation: str = ""
    ) -> None:
        """Decide on one as Meta's reviewers do; the bot is told.

        Args:
            template_id: As `Account.templates` has it.
            event: A status, or what else may happen to one: `EVENTS`.
            reason: Why it was rejected; a word of Meta's.
            recommendation: What is advised with a rejection.

        Raises:
            LookupError: There is no such template.
            ValueError: There is no such event.
        """
        template = self._known(template_id)
        if event not in STATUSES and event not in EVENTS:
            known = ", ".join(sorted({*STATUSES, *EVENTS}))
            raise ValueError(f"there is no status {event!r}: {known}")
        template["status"] = EVENTS.get(event, event)
        now = self._world.clock.now()
        if event == "REJECTED":
            template["rejected_reason"] = reason
        self._delivery.post(
            status_update(template, event, reason, recommendation=recommendation, at=now)
        )

    def rate(self, template_id: str, score: str) -> None:
        """Set its quality: GREEN, YELLOW, RED or UNKNOWN; the bot is told.

        Raises:
            LookupError: There is no such template.
        """
        template, now = self._known(template_id), self._world.clock.now()
        before = template.get("quality_score", {}).get("score", "UNKNOWN")
        template["quality_score"] = {"score": score, "date": int(now)}
        self._delivery.post(quality_update(template, before, score, at=now))

    def _known(self, template_id: str) -> dict[str, Any]:
        template = self.find(template_id)
        if template is None:
            raise LookupError(f"there is no template with id {template_id}")
        return template

    def _hand_in(self, template: dict[str, Any]) -> None:
        template["status"] = "PENDING"
        if not self._world.account.reviews_templates:
            self.review(str(template["id"]), "APPROVED")

    def _all(self) -> Iterable[Mapping[str, Any]]:
        return self._world.account.templates

    def _of(self, asked: Asked) -> dict[str, Any]:
        template = self.find(asked.node)
        if template is None:
            raise no_object(asked.method, asked.node)
        return template

    def _waba(self, asked: Asked) -> Account:
        account = self._world.account
        if asked.node != account.waba_id:
            raise no_object(asked.method, asked.node)
        return account


def _node(template: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(FIELDS), "parameter_format": "POSITIONAL", **template}


def _invalid(details: str, subcode: int | None = None) -> GraphError:
    return GraphError(100, details, subcode=subcode, message="Invalid parameter")


def _fits(template: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether the filters let it through; several statuses or the like are told by commas.

    Raises:
        GraphError: 100: a filter of a value that there is not.
    """
    for name, known in (("status", STATUSES), ("category", CATEGORIES), ("language", ())):
        wanted = {one.strip('[]" ') for one in query.get(name, "").split(",")} - {""}
        if name != "language":
            wanted = {one.upper() for one in wanted}
        if known and wanted - set(known):
            raise GraphError(
                100, message=f"(#100) Param {name} must be one of {{{', '.join(sorted(known))}}}"
            )
        if wanted and template.get(name) not in wanted:
            return False
    if "name" in query and query["name"] != template.get("name"):
        return False
    sought = query.get("name_or_content", "").lower()
    return not sought or any(sought in text.lower() for text in _texts(template))


def _texts(template: Mapping[str, Any]) -> Iterable[str]:
    bodies = (one.get("text", "") for one in template.get("components", ()))
    return itertools.chain([str(template.get("name", ""))], map(str, bodies))


def _category(body: Mapping[str, Any]) -> str:
    category = text_of(body, "category", 64).upper()
    if not category:
        raise missing("category")
    if category not in CATEGORIES:
        raise GraphError(
            100, message=f"(#100) Param category must be one of {{{', '.join(CATEGORIES)}}}"
        )
    return category


def _components(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a template is made of, with the types as Graph writes them.

    Raises:
        GraphError: 100: none, no body, or a text that is too long.
    """
    components = body.get("components")
    if not isinstance(components, list) or not components or len(components) > MOST_COMPONENTS:
        raise missing("components")
    made = []
    for one in components:
        if not isinstance(one, dict) or not isinstance(one.get("type"), str):
            raise _invalid("components: each is an object with a type")
        kind = one["type"].upper()
        text = text_of(one, "text", 1024)
        if len(text) > _LIMITS.get(kind, 1024):
            raise _invalid(f"components: a {kind} has at most {_LIMITS[kind]} characters", 2388040)
        made.append({**one, "type": kind})
    if not any(one["type"] == "BODY" for one in made):
        raise _invalid("components: a BODY is missing")
    return made
