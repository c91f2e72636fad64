"""Templates: three from the start; listed, handed in, changed, deleted."""

from typing import Any

import pytest

from openparallax.emulator import Account
from openparallax.emulator.graph.templates import MOST_TEMPLATES
from openparallax.emulator.webhooks.delivery import Update
from tests.emulator.graph.desk import Desk, desk
from tests.fakes.clock import TurnedClock

NEW: dict[str, Any] = {
    "name": "season",
    "language": "en_US",
    "category": "marketing",
    "components": [{"type": "body", "text": "Spring is here"}],
}


def path(sitting: Desk) -> str:
    return f"{sitting.account.waba_id}/message_templates"


async def listed(sitting: Desk, query: str) -> list[str]:
    said = await sitting.get(f"{path(sitting)}?{query}")
    assert said.status == 200, said.body
    return [row["name"] for row in said.body["data"]]


async def test_three_are_there_from_the_start() -> None:
    async with desk() as sitting:
        said = (await sitting.get(path(sitting))).body["data"]
        assert [(row["name"], row["parameter_format"], row["status"]) for row in said] == [
            ("hello_world", "POSITIONAL", "APPROVED"),
            ("appointment_reminder", "POSITIONAL", "APPROVED"),
            ("order_update", "NAMED", "APPROVED"),
        ]
        for row in said:
            assert (await sitting.get(row["id"])).body == row


async def test_each_account_has_its_own() -> None:
    one, other = Account(), Account()
    one.templates[0]["components"][0]["text"] = "changed"
    assert other.templates[0]["components"][0]["text"] != "changed"


async def test_pages_and_fields() -> None:
    async with desk() as sitting:
        first = (await sitting.get(f"{path(sitting)}?limit=2&fields=name,status")).body
        assert [set(row) for row in first["data"]] == [{"name", "status", "id"}] * 2
        second = (await sitting.get(first["paging"]["next"])).body
        assert second["data"] == [
            {"name": "order_update", "status": "APPROVED", "id": "1000000000000003"}
        ]
        assert "next" not in second["paging"]
        assert (await sitting.get(f"{path(sitting)}?fields=colour")).refusal == (400, 100, None)
        summary = await sitting.get(f"{path(sitting)}?summary=total_count,message_template_count")
        assert summary.body["summary"] == {"total_count": 3, "message_template_count": 3}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=hello_world", ["hello_world"]),
        ("name=hello", []),
        ("name_or_content=ORDER", ["order_update"]),
        ("name_or_content=expect", ["appointment_reminder"]),
        ("language=de", []),
        ("status=PENDING", []),
        ("status=approved,PENDING&limit=1", ["hello_world"]),
        ("category=UTILITY&name=order_update", ["order_update"]),
        ("category=MARKETING", []),
    ],
)
async def test_filters(query: str, names: list[str]) -> None:
    async with desk() as sitting:
        assert await listed(sitting, query) == names


async def test_a_filter_of_a_value_that_there_is_not() -> None:
    async with desk() as sitting:
        for query in ("status=GREAT", "category=NEWS"):
            assert (await sitting.get(f"{path(sitting)}?{query}")).refusal == (400, 100, None)


@pytest.mark.parametrize(("reviews", "status"), [(False, "APPROVED"), (True, "PENDING")])
async def test_one_is_handed_in_and_changed(*, reviews: bool, status: str) -> None:
    async with desk(Account(reviews_templates=reviews)) as sitting:
        said = (await sitting.post(path(sitting), json=NEW)).body
        template_id = said.pop("id")
        assert said == {"status": status, "category": "MARKETING"}
        assert (await sitting.get(template_id)).body == {
            "name": "season",
            "parameter_format": "POSITIONAL",
            "components": [{"type": "BODY", "text": "Spring is here"}],
            "language": "en_US",
            "status": status,
            "category": "MARKETING",
            "id": template_id,
        }
        # the same name in another language is another one; in the same it is refused
        assert (await sitting.post(path(sitting), json={**NEW, "language": "de"})).status == 200
        assert (await sitting.post(path(sitting), json=NEW)).refusal == (400, 100, 2388024)
        components = [{"type": "BODY", "text": "Autumn is here"}]
        for row in sitting.account.templates:
            row["status"] = "REJECTED"
        changed = await sitting.post(template_id, json={"components": components})
        assert changed.body == {
            "success": True,
            "id": template_id,
            "name": "season",
            "category": "MARKETING",
        }
        now = (await sitting.get(f"{template_id}?fields=status,components")).body
        assert now == {"status": status, "components": components, "id": template_id}
        assert (await sitting.post(template_id, json={})).refusal == (400, 100, None)


@pytest.mark.parametrize(
    ("changed", "subcode"),
    [
        ({"name": ""}, None),
        ({"name": "Not Like This"}, 2388023),
        ({"name": 7}, None),
        ({"name": "x" * 513}, None),
        ({"language": ""}, None),
        ({"language": "English"}, None),
        ({"category": ""}, None),
        ({"category": "NEWS"}, None),
        ({"parameter_format": "BOTH"}, None),
        ({"components": []}, None),
        ({"components": "BODY"}, None),
        ({"components": ["BODY"]}, None),
        ({"components": [{"type": 7}]}, None),
        ({"components": [{"type": "HEADER", "text": "x"}]}, None),
        ({"components": [{"type": "BODY", "text": "x" * 1025}]}, None),
        ({"components": [{"type": "BODY"}, {"type": "FOOTER", "text": "x" * 61}]}, 2388040),
        ({"components": [{"type": "BODY", "text": {}}]}, None),
        ({"components": [{"type": "BODY"}] * 21}, None),
    ],
)
async def test_what_is_no_template(changed: dict[str, Any], subcode: int | None) -> None:
    async with desk() as sitting:
        said = await sitting.post(path(sitting), json={**NEW, **changed})
        assert said.refusal == (400, 100, subcode)
        assert len(sitting.account.templates) == 3


async def test_an_account_has_at_most_so_many() -> None:
    async with desk() as sitting:
        rows = sitting.account.templates
        while len(rows) < MOST_TEMPLATES:
            rows.append({**rows[0], "id": str(len(rows)), "name": f"t{len(rows)}"})
        assert (await sitting.post(path(sitting), json=NEW)).refusal == (400, 100, 2388019)


async def test_deleted_by_name_in_all_languages_or_in_one() -> None:
    async with desk() as sitting:
        ids = [
            (await sitting.post(path(sitting), json={**NEW, "language": language})).body["id"]
            for language in ("en", "de", "pt_BR")
        ]
        one = f"{path(sitting)}?hsm_id={ids[1]}"
        assert (await sitting.delete(one)).refusal == (400, 100, None)
        assert (await sitting.delete(f"{one}&name=hello_world")).refusal == (400, 100, 2593002)
        assert (await sitting.delete(f"{one}&name=season")).body == {"success": True}
        assert await listed(sitting, "name=season") == ["season", "season"]
        assert (await sitting.delete(f"{path(sitting)}?name=season")).body == {"success": True}
        assert await listed(sitting, "name=season") == []
        gone = await sitting.delete(f"{path(sitting)}?name=season")
        assert gone.refusal == (400, 100, 2593002)
        assert len(sitting.account.templates) == 3


@pytest.mark.parametrize(("reviews", "events"), [(False, ["APPROVED"]), (True, ["REJECTED"])])
async def test_the_bot_is_told_what_became_of_one(
    monkeypatch: pytest.MonkeyPatch, *, reviews: bool, events: list[str]
) -> None:
    async with desk(Account(reviews_templates=reviews)) as sitting:
        told: list[Update] = []
        monkeypatch.setattr(sitting.emulator.delivery, "post", told.append)
        template_id = (await sitting.post(path(sitting), json=NEW)).body["id"]
        if reviews:
            assert not told
            decide = sitting.emulator.management.templates.review
            decide(template_id, "REJECTED", "INVALID_FORMAT")
            with pytest.raises(LookupError):
                decide("4711", "APPROVED")
            with pytest.raises(ValueError, match="no status 'GREAT'"):
                decide(template_id, "GREAT")
        assert [update.topic for update in told] == ["message_template_status_update"]
        assert told[0].value == {
            "event": events[0],
            "message_template_id": int(template_id),
            "message_template_name": "season",
            "message_template_language": "en_US",
            "message_template_category": "MARKETING",
            "reason": "INVALID_FORMAT" if reviews else "NONE",
        }
        shown = (await sitting.get(f"{template_id}?fields=status")).body
        assert shown["status"] == events[0]


async def test_what_happens_to_one_is_told_in_metas_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(clock=TurnedClock()) as sitting:
        told: list[Update] = []
        monkeypatch.setattr(sitting.emulator.delivery, "post", told.append)
        templates = sitting.emulator.management.templates
        template = sitting.account.templates[0]
        for event in ("PAUSED", "DISABLED", "FLAGGED", "REINSTATED"):
            templates.review(template["id"], event)
        assert template["status"] == "APPROVED"
        templates.review(template["id"], "REJECTED", "INVALID_FORMAT", "Say it otherwise.")
        assert (template["status"], template["rejected_reason"]) == ("REJECTED", "INVALID_FORMAT")
        assert (await sitting.delete(f"{path(sitting)}?name=hello_world")).status == 200
        paused, disabled, flagged, reinstated, rejected, deleted = [one.value for one in told]
        assert [one["event"] for one in (flagged, reinstated)] == ["FLAGGED", "REINSTATED"]
        assert paused["other_info"]["title"] == "FIRST_PAUSE"
        assert "disable_info" not in paused
        assert disabled["disable_info"] == {"disable_date": "1790000000"}
        assert rejected["rejection_info"] == {
            "reason": "INVALID_FORMAT",
            "recommendation": "Say it otherwise.",
        }
        assert (deleted["event"], deleted["reason"]) == ("DELETED", None)
        assert all(one["message_template_id"] == 1_000_000_000_000_001 for one in (paused, deleted))


async def test_its_quality_changes_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(clock=TurnedClock()) as sitting:
        told: list[Update] = []
        monkeypatch.setattr(sitting.emulator.delivery, "post", told.append)
        template_id = sitting.account.templates[0]["id"]
        rate = sitting.emulator.management.templates.rate
        rate(template_id, "GREEN")
        rate(template_id, "YELLOW")
        with pytest.raises(LookupError):
            rate("4711", "RED")
        assert [one.topic for one in told] == ["message_template_quality_update"] * 2
        assert told[1].value == {
            "previous_quality_score": "GREEN",
            "new_quality_score": "YELLOW",
            "message_template_id": int(template_id),
            "message_template_name": "hello_world",
            "message_template_language": "en_US",
        }
        shown = (await sitting.get(f"{template_id}?fields=quality_score")).body
        assert shown["quality_score"] == {"score": "YELLOW", "date": 1_790_000_000}
