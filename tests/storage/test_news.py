"""The latest of each kind of news, in file and log, at its weight and without numbers."""

import json
from dataclasses import replace

from openparallax.model.messages import News, Weight
from openparallax.storage import Database, news
from tests.fakes import meta
from tests.flow.records import logged, moment
from tests.town import ANN, Town

ONE = News("102", "account_update", "", "DISABLED_UPDATE", {"b": "2", "a": "1"}, Weight.ERROR, 1000)


async def kept(database: Database, *items: News) -> list[tuple[str, str, int]]:
    """Keep ``items``; subject, event and timestamp of all that is known then."""
    for item in items:
        await database.unit(lambda c, item=item: news.keep(c, item))  # type: ignore[misc]
    rows = await database.read(news.latest)
    return [(row[2], row[3], row[6]) for row in rows]


async def test_the_newest_of_a_kind_is_kept(database: Database) -> None:
    newer = replace(ONE, event="REINSTATE", at=2000)
    assert await kept(database, newer, ONE) == [("", "REINSTATE", 2000)]
    assert await kept(database, replace(ONE, event="LATER", at=2000)) == [("", "LATER", 2000)]


async def test_kinds_are_told_apart_by_whose_what_and_about_what(database: Database) -> None:
    items = [
        ONE,
        replace(ONE, business="103"),
        replace(ONE, field="account_alerts"),
        replace(ONE, subject="tmpl"),
    ]
    assert len(await kept(database, *items, *items)) == 4
    row = (await database.read(news.latest))[1]
    assert row[:4] == ("102", "account_update", "", "DISABLED_UPDATE")
    assert (json.loads(row[4]), row[5]) == ({"a": "1", "b": "2"}, 2)


async def test_from_the_webhook_to_log_and_file(town: Town) -> None:
    """Logged at its weight; of a number its last digits at most; a repeat changes nothing."""
    items = [
        meta.news("account_update", event="DISABLED_UPDATE", at=1_790_000_000),
        meta.news(
            "phone_number_quality_update",
            display_phone_number=meta.DISPLAY_PHONE_NUMBER,
            event="ONBOARDING",
            current_limit="TIER_250",
        ),
        meta.news("account_review_update", decision="APPROVED"),
        meta.errors(131031),
    ]
    await town.post(*items)
    await town.post(*items)
    await moment(town)
    levels = {line["level"] for line in logged(town, "account_news")}
    assert {"info", "error"} <= levels
    rows = await town.up.database.read(news.latest)
    assert len(rows) == len(items)
    assert meta.DISPLAY_PHONE_NUMBER not in town.log.getvalue()
    assert meta.DISPLAY_PHONE_NUMBER not in str(rows)
    await town.restart()
    assert await town.up.database.read(news.latest) == rows
    await town.say(ANN, "hello")
    assert await town.hears(ANN, 1) == ["hello"]
