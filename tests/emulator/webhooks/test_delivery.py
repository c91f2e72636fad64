"""Posting until 200: back-off, faults, subscription, addresses."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from openparallax.emulator import Account, Emulator, Number
from openparallax.emulator.webhooks import delivery
from tests.emulator.bot import Bot, Post, answers
from tests.fakes.clock import TurnedClock

SECOND = Number(id="2222222222222222", display_phone_number="15550200000")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest_asyncio.fixture
async def turned(clock: TurnedClock) -> AsyncIterator[Emulator]:
    """An emulator whose time stands still."""
    async with Emulator(clock=clock) as running:
        yield running


async def tries(emulator: Emulator, clock: TurnedClock, count: int) -> list[float]:
    """At which seconds a message is tried until there were ``count`` tries."""
    begun, passed = clock.monotonic(), 0
    at: list[float] = []
    while True:
        done = [one for one in emulator.wire.exchanges if one.status is not None]
        at += [clock.monotonic() - begun] * (len(done) - len(at))
        if len(at) >= count:
            return at
        under_way = len(emulator.wire.exchanges) > len(done)
        if under_way or passed > 20:
            passed = 0
            await asyncio.sleep(0.001)
        elif not emulator.delivery._pausing:
            passed += 1
            await asyncio.sleep(0)
        else:
            await clock.turn(1)


async def test_a_webhook_is_repeated_at_once_and_then_ever_more_rarely(
    turned: Emulator, clock: TurnedClock
) -> None:
    turned.delivery.url = "http://127.0.0.1:1/webhook"
    turned.say("ann", "hello")
    seconds = await tries(turned, clock, 11)
    pauses = [after - before for before, after in pairwise(seconds)]
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [one.attempt for one in turned.wire.exchanges] == list(range(1, 12))
    assert {(one.status, one.note) for one in turned.wire.exchanges} == {
        (0, "nobody listens there")
    }
    assert turned.delivery.waiting == 1
    turned.delivery.longest_pause_s = 20  # from the next one on
    seconds = await tries(turned, clock, 13)
    assert [seconds[n + 1] - seconds[n] for n in (10, 11)] == [60, 20]


async def test_a_bot_that_comes_back_is_told_at_once(turned: Emulator) -> None:
    bot = Bot(turned.world.account.app_secret)
    await bot.start()
    turned.delivery.url = bot.url
    await bot.stop()
    said = [turned.say(person, "hello") for person in ("ann", "bob", "ann")]
    while sum(one.status == 0 for one in turned.wire.exchanges) < 4:
        await asyncio.sleep(0.001)
    assert [one.status for one in said] == ["waiting"] * 3
    async with bot:
        turned.delivery.hurry()
        await asyncio.wait_for(turned.delivery.settled(), 20)
    assert len(bot.taken) == 3
    assert [one.status for one in said] == ["delivered"] * 3


async def test_a_hurry_during_a_try_that_fails_is_not_lost(turned: Emulator) -> None:
    async def mood(_: Post) -> int | None:
        if len(bot.posts) < 3:
            turned.delivery.hurry()
            return 503
        return 200

    async with Bot(turned.world.account.app_secret) as bot:
        bot.mood = mood
        turned.delivery.url = bot.url
        turned.say("ann", "hello")
        await asyncio.wait_for(turned.delivery.settled(), 20)
    assert len(bot.posts) == 4


async def test_moving_the_clock_tries_again(turned: Emulator) -> None:
    async with Bot(turned.world.account.app_secret) as bot:
        bot.mood = answers(503, None)
        turned.delivery.url = bot.url
        turned.say("ann", "hello")
        await bot.until(lambda: len(bot.posts) == 2)
        while not turned.delivery._pausing:
            await asyncio.sleep(0)
        turned.clock.move(0.1)
        await asyncio.wait_for(turned.delivery.settled(), 20)
    assert [post.status for post in bot.posts] == [503, None, 200]
    assert len({post.raw for post in bot.posts}) == 1


async def test_after_seven_days_it_is_given_up(turned: Emulator, bot_down: str) -> None:
    turned.delivery.url = bot_down
    message = turned.say("ann", "hello")
    while not turned.delivery._pausing:
        await asyncio.sleep(0.001)
    turned.clock.move(7 * 86_400 - 1)
    while len(turned.wire.exchanges) < 3 or not turned.delivery._pausing:
        await asyncio.sleep(0.001)
    turned.clock.move(2)
    await asyncio.wait_for(turned.delivery.settled(), 20)
    assert message.status == "waiting"
    assert "seven days" in turned.wire.exchanges[-1].note


async def test_a_slow_bot_holds_up_nobody_but_whom_it_is_about(
    emulator: Emulator, bot: Bot
) -> None:
    gate = asyncio.Event()

    async def mood(post: Post) -> int | None:
        if any(one["text"]["body"] == "slow" for one in post.all("messages")):
            await gate.wait()
        return 200

    bot.mood = mood
    emulator.say("ann", "slow")
    emulator.say("ann", "after it")
    emulator.say("bob", "quick")
    status = {"messaging_product": "whatsapp", "statuses": [{"status": "sent"}]}
    emulator.delivery.post(delivery.Update(topic="messages", value=status, person="ann"))
    await bot.until(lambda: bot.texts == ["quick"] and bot.told == ["sent"])
    gate.set()
    await emulator.settled()
    assert bot.texts == ["quick", "slow", "after it"]


async def test_no_answer_in_time_is_a_failure(emulator: Emulator, bot: Bot) -> None:
    release = asyncio.Event()
    first = True

    async def mood(_: Post) -> int | None:
        nonlocal first
        if first:
            first = False
            emulator.delivery.timeout_s = 20  # of the next one
            await release.wait()
        return 200

    bot.mood = mood
    emulator.delivery.timeout_s = 0.05
    emulator.say("ann", "hello")
    await emulator.settled()
    release.set()
    # A bot that has not even heard of it within that time is tried again, too.
    *failed, taken = emulator.wire.exchanges
    assert {(one.status, one.note) for one in failed} == {(0, "no answer in time")}
    assert min(one.duration_ms or 0 for one in failed) > 40
    assert (taken.status, taken.attempt) == (200, len(failed) + 1)


@pytest.mark.parametrize("status", [307, 204])
async def test_200_alone_will_do_and_neither_redirects_nor_proxies_are_followed(
    emulator: Emulator, bot: Bot, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    bot.mood = answers(status)
    emulator.say("ann", "hello")
    await asyncio.wait_for(emulator.settled(), 20)
    assert [post.status for post in bot.posts] == [status, 200]
    assert [one.status for one in emulator.wire.exchanges] == [status, 200]


@pytest.mark.parametrize("fault", ["bad_signature", "wrong_number", "duplicate", "delay"])
async def test_each_fault_is_played_for_whom_it_is_and_noted(
    emulator: Emulator, bot: Bot, fault: str
) -> None:
    emulator.faults.set(fault, person="ann", value="1" if fault == "delay" else "", times=1)
    emulator.say("bob", "first")
    emulator.say("ann", "hello")
    await bot.until(lambda: "first" in bot.texts)
    emulator.clock.move(1)
    await emulator.settled()
    of_ann = [one for one in emulator.wire.exchanges if one.person == "ann"]
    of_bob = [one for one in emulator.wire.exchanges if one.person == "bob"]
    assert [one.note for one in of_bob] == [""]
    assert fault in of_ann[0].note
    assert {post.status for post in bot.posts} <= {200, 401}
    statuses = [one.status for one in of_ann]
    numbers = [
        change["value"]["metadata"]["phone_number_id"]
        for post in bot.taken
        for change in post.changes
        if post.all("messages")[0]["text"]["body"] == "hello"
    ]
    ours = emulator.world.our_number().id
    assert (statuses, numbers) == {
        "bad_signature": ([401, 200], [ours]),
        "wrong_number": ([200], ["999999999999999"]),
        "duplicate": ([200, 200], [ours, ours]),
        "delay": ([200], [ours]),
    }[fault]
    assert emulator.faults.as_data() == []
    assert [one.is_signed for one in of_ann] == [status == 200 for status in statuses]


async def test_a_message_is_heard_from_the_try_on_that_the_bot_takes(turned: Emulator) -> None:
    heard: list[float | None] = []

    async def mood(_: Post) -> int | None:
        heard.append(turned.world.chat(message.number_id, "ann").heard_at)
        turned.clock.move(10)
        return 503 if len(heard) == 1 else 200

    begun = turned.clock.now()
    async with Bot(turned.world.account.app_secret) as bot:
        bot.mood = mood
        turned.delivery.url = bot.url
        turned.faults.set("duplicate")
        message = turned.say("ann", "hello")
        await turned.delivery.settled()
    assert heard == [begun, begun + 10, begun + 10]


@pytest.mark.parametrize(("value", "seconds"), [(30, 30), ("", 5)])
async def test_a_delayed_message_waits_for_its_time(
    turned: Emulator, value: object, seconds: int
) -> None:
    async with Bot(turned.world.account.app_secret) as bot:
        turned.delivery.url = bot.url
        turned.faults.set("delay", value=value, times=1)
        turned.say("ann", "late")
        turned.say("ann", "after it")
        turned.say("bob", "in time")
        await bot.until(lambda: len(bot.posts) == 1)
        turned.clock.move(seconds - 1)
        turned.delivery.hurry()
        for _ in range(20):
            await asyncio.sleep(0)
        assert bot.texts == ["in time"]
        turned.clock.move(1)
        await turned.delivery.settled()
    assert bot.texts == ["in time", "late", "after it"]


async def test_one_overtakes_another(turned: Emulator) -> None:
    async with Bot(turned.world.account.app_secret) as bot:
        turned.delivery.url = bot.url
        turned.faults.set("reorder", person="ann", times=2)
        turned.say("ann", "one")
        turned.say("bob", "of somebody else")
        turned.say("ann", "two")
        turned.say("ann", "alone")
        await bot.until(lambda: len(bot.posts) == 3)
        assert [text for text in bot.texts if len(text) == 3] == ["two", "one"]
        turned.clock.move(2)
        await turned.delivery.settled()
    assert bot.texts[-1] == "alone"


async def test_batches_travel_in_one_request(turned: Emulator) -> None:
    async with Bot(turned.world.account.app_secret) as bot:
        turned.delivery.url = bot.url
        turned.faults.set("batch", value=3)
        for person, text in (("ann", "1"), ("bob", "2"), ("ann", "3")):
            turned.say(person, text)
        await bot.until(lambda: len(bot.posts) == 1)
        turned.clock.move(1.5)
        turned.say("ann", "4")
        turned.clock.move(1)  # each batch waits anew
        assert turned.delivery._holding.updates == 1
        turned.faults.clear()
        turned.say("ann", "5")  # what was held goes before it
        await turned.delivery.settled()
    assert bot.texts == ["1", "2", "3", "4", "5"]
    [change] = bot.posts[0].changes
    assert len(change["value"]["messages"]) == 3
    assert len(change["value"]["contacts"]) == 2
    assert turned.wire.exchanges[0].note == "batch"


async def test_a_batch_may_stand_apart_in_entries_of_its_own(turned: Emulator) -> None:
    async with Bot(turned.world.account.app_secret) as bot:
        turned.delivery.url = bot.url
        turned.faults.set("batch", value="2,apart")
        turned.say("ann", "1")
        turned.say("ann", "2")
        await bot.until(lambda: len(bot.posts) == 1)
    assert bot.texts == ["1", "2"]
    entries = bot.posts[0].said["entry"]
    assert [len(entry["changes"][0]["value"]["messages"]) for entry in entries] == [1, 1]


async def test_a_batch_holds_only_what_is_signed_alike(turned: Emulator) -> None:
    account = turned.world.account
    account.numbers.append(SECOND)
    SECOND.app_secret = "of another app"
    async with Bot(account.app_secret) as bot:
        turned.delivery.url = bot.url
        turned.faults.set("batch", value=3)
        turned.say("ann", "1")
        turned.say("ann", "2", number_id=SECOND.id)
        turned.say("ann", "3")
        await bot.until(lambda: len(bot.posts) >= 2)
    assert bot.texts == ["1", "3"]
    assert bot.posts[1].status == 401


async def test_where_there_is_no_secret_nothing_is_signed() -> None:
    async with Emulator(account=Account(app_secret="")) as emulator, Bot("") as bot:
        emulator.delivery.url = bot.url
        emulator.say("ann", "hello")
        await emulator.settled()
        assert "X-Hub-Signature-256" not in bot.posts[0].headers
        assert emulator.wire.exchanges[0].is_signed is False


@pytest.mark.parametrize("why", ["not subscribed", "not live", "inactive", "no such field"])
async def test_what_the_bot_is_not_subscribed_to_is_never_told(
    emulator: Emulator, bot: Bot, why: str
) -> None:
    account = emulator.world.account
    if why == "not subscribed":
        account.subscribed_apps.clear()
    account.is_live = why != "not live"
    account.subscription.is_active = why != "inactive"
    if why == "no such field":
        account.subscription.fields.remove("messages")
    message = emulator.say("ann", "hello")
    await emulator.settled()
    [line] = emulator.wire.exchanges
    assert (line.status, line.what) == (0, "messages · text")
    assert "not told" in line.note
    assert (bot.posts, message.status) == ([], "waiting")


async def test_overrides_of_number_and_account_come_first(emulator: Emulator, bot: Bot) -> None:
    account = emulator.world.account
    async with Bot(account.app_secret) as of_number, Bot(account.app_secret) as of_account:
        account.waba_override = of_account.url
        emulator.say("ann", "to the account's")
        emulator.tell_news("account_update", {"event": "VERIFIED_ACCOUNT"})
        await emulator.settled()
        account.numbers[0].webhook_override = of_number.url
        emulator.say("ann", "to the number's")
        await emulator.settled()
        assert of_account.texts == ["to the account's"]
        assert of_number.texts == ["to the number's"]
    [news] = bot.posts
    assert news.changes == [{"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}]
    assert news.said["entry"][0]["time"] == pytest.approx(emulator.clock.now(), abs=60)


async def test_an_override_elsewhere_is_never_posted_to(emulator: Emulator, bot: Bot) -> None:
    emulator.world.account.numbers[0].webhook_override = "https://bot.example/webhook"
    emulator.say("ann", "hello")
    for _ in range(20):
        await asyncio.sleep(0)
    assert (emulator.delivery.waiting, len(emulator.wire.exchanges)) == (1, 0)
    emulator.world.account.numbers[0].webhook_override = None
    emulator.delivery.hurry()
    await emulator.settled()
    assert bot.texts == ["hello"]


@pytest.mark.parametrize(
    "url",
    [
        "https://bot.example/webhook",
        "http://10.0.0.1:9443/",
        "http://127.0.0.1.example/",
        "http://127.0.0.1@bot.example/",
        "ftp://127.0.0.1/",
        "127.0.0.1:9443",
        "http://",
        "http://[::",
        "http://127.0.0.1:99999/",
        "http://0.0.0.0/",
    ],
)
async def test_only_this_machine_is_posted_to(emulator: Emulator, url: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        emulator.delivery.url = url
    with pytest.raises(ValueError, match="this machine only"):
        await emulator.delivery.handshake(url)
    assert emulator.delivery.url == ""


@pytest.mark.parametrize("url", ["https://localhost:9443/webhook", "http://[::1]:80/", ""])
async def test_every_name_of_this_machine_will_do(emulator: Emulator, url: str) -> None:
    emulator.delivery.url = url
    assert emulator.delivery.url == url


async def test_the_handshake_is_asked_as_the_dashboard_does(emulator: Emulator, bot: Bot) -> None:
    assert await emulator.delivery.handshake() == (200, True)
    assert await emulator.delivery.handshake(verify_token="another") == (403, False)
    await bot.stop()
    assert await emulator.delivery.handshake() == (0, False)
    await bot.start()
    assert emulator.world.account.verify_token not in repr([*emulator.wire.exchanges])


async def test_raw_bytes_are_posted_once_as_they_are(emulator: Emulator, bot: Bot) -> None:
    bot.mood = answers(500)
    status = await emulator.delivery.post_raw(b'{"entry": []}', {"Content-Type": "x/y"})
    assert status == 401  # it carried no signature
    assert [post.raw for post in bot.posts] == [b'{"entry": []}']
    emulator.delivery.url = ""
    assert await emulator.delivery.post_raw(b"{}", {}) == 0


async def test_what_waits_is_bounded_and_closing_leaves_no_task(
    bot_down: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_WAITING", 20)
    before = asyncio.all_tasks()
    async with Emulator() as emulator:
        emulator.delivery.url = bot_down
        for _ in range(25):
            emulator.say("ann", "x")
        assert emulator.delivery.waiting == 20
        assert "too much waits" in emulator.wire.exchanges[-1].note
        settling = asyncio.create_task(emulator.delivery.settled())
        await asyncio.sleep(0.01)
    await asyncio.wait_for(settling, 20)
    assert asyncio.all_tasks() == before


async def test_what_was_said_before_the_start_is_told_then() -> None:
    emulator = Emulator()
    message = emulator.say("ann", "early")
    async with emulator, Bot(emulator.world.account.app_secret) as bot:
        emulator.delivery.url = bot.url
        await emulator.settled()
        assert bot.texts == ["early"]
    assert message.status == "delivered"


@pytest.fixture
def bot_down() -> str:
    """An address where nobody listens."""
    return "http://127.0.0.1:1/webhook"
