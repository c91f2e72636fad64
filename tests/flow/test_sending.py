"""What follows from each class of error that Graph answers with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from openparallax.session.notices import SENTENCES
from tests.fakes.behaviours import Behaviour, Call, cut_after_accepting, error, ok
from tests.flow.sending import TurnedTown, is_idle
from tests.town import ANN, BOB


@pytest_asyncio.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TurnedTown]:
    async with TurnedTown(tmp_path, monkeypatch) as town:
        yield town


async def test_parcels_of_a_chat_go_in_order_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"conversation": {"coalesce": "none"}}
    async with TurnedTown(tmp_path, monkeypatch, changes=changes) as town:
        for words in ("one", "two " + "word " * 1500, "three"):
            await town.say(ANN, words)
        heard = await town.hears(ANN, 4)
        assert [body.split()[0] for body in heard] == ["one", "two", "word", "three"]
        await town.until(lambda: is_idle(town))
        assert set(await town.states()) == {"ACCEPTED"}


async def test_too_many_to_one_contact_backs_off_by_fours_and_others_go_on(
    town: TurnedTown,
) -> None:
    refusals = 3

    def plan(call: Call) -> Behaviour:
        nonlocal refusals
        if call.to == ANN and refusals:
            refusals -= 1
            return error(131056, 400)
        return ok()

    town.plan_with(plan)
    await town.say(ANN, "a")
    await town.graph.wait_for_calls(1)
    await town.say(BOB, "b")
    assert await town.hears(BOB, 1) == ["b"]
    await town.turn_until(lambda: len(town.heard(ANN)) == 1)
    at = [when for when, call in zip(town.sent_at, town.graph.calls, strict=True) if call.to == ANN]
    assert at == pytest.approx([0, 1, 5, 21])
    await town.until(lambda: is_idle(town))


@pytest.mark.parametrize("code", [4, 80007, 130429])
async def test_a_rate_of_the_whole_number_slows_everybody_down(town: TurnedTown, code: int) -> None:
    town.graph.queue(error(code), error(code, 403), error(code))
    await town.say(ANN, "a")
    await town.graph.wait_for_calls(1)
    await town.settle()
    await town.say(BOB, "b")
    await town.settle()
    assert len(town.graph.calls) == 1
    town.plan_with(lambda _call: ok())
    await town.turn(1.5)  # both are tried, both are refused, which counts as once
    assert len(town.graph.calls) == 3
    await town.turn(3)
    assert len(town.graph.calls) == 3
    await town.turn(1.5)
    assert town.heard(ANN) == ["a"]
    assert town.heard(BOB) == ["b"]
    assert [line["wait_s"] for line in town.logged("account_slowed")] == [1, 4]
    assert {row.ambiguous for row in await town.rows()} == {0}


async def test_an_expired_token_keeps_everything_and_resumes_by_itself(town: TurnedTown) -> None:
    people = [str(4915100000000 + n) for n in range(60)]
    town.plan_with(lambda _call: error(190, 401))
    for person in people:
        await town.say(person, f"to {person}")
    await town.until(lambda: "account_paused" in town.log.getvalue())
    await town.until(lambda: town.up.outbox.in_flight == 0)
    # However many were under way, the number paused once, and one probe goes at a time.
    paused = town.logged("account_paused")
    assert [(line["wait_s"], line["code"], line["level"]) for line in paused] == [(5, 190, "error")]
    assert "System User token" in paused[0]["hint"]
    calls = len(town.graph.calls)
    assert calls <= 50
    await town.turn(5.5)
    assert len(town.graph.calls) == calls + 1
    await town.turn(95)
    assert len(town.graph.calls) == calls + 4  # after 10, 20 and 40 seconds more
    assert [line["wait_s"] for line in town.logged("account_paused")] == [5, 10, 20, 40, 80]
    assert not town.graph.accepted
    town.plan_with(lambda _call: ok())
    await town.turn_until(lambda: len(town.graph.accepted) == len(people))
    for person in people:
        assert town.heard(person) == [f"to {person}"]
    assert len(town.logged("account_resumed")) == 1
    await town.until(lambda: is_idle(town))
    assert set(await town.states()) == {"ACCEPTED"}


async def test_an_account_that_was_paused_is_tried_again_after_a_restart(town: TurnedTown) -> None:
    town.plan_with(lambda _call: error(190, 401))
    await town.say(ANN, "kept")
    await town.until(lambda: "account_paused" in town.log.getvalue())
    await town.restart()
    await town.until(lambda: len(town.graph.calls) == 2)
    town.plan_with(lambda _call: ok())
    await town.turn_until(lambda: town.heard(ANN) == ["kept"])


@pytest.mark.parametrize("code", [131026, 131030, 100, 131009])
async def test_a_dead_recipient_and_our_mistake_fail_and_the_next_goes_on(
    town: TurnedTown, code: int
) -> None:
    town.graph.queue(error(code))
    await town.say(ANN, "confidential one")
    await town.graph.wait_for_calls(1)
    await town.say(ANN, "two")
    assert await town.hears(ANN, 1) == ["two"]
    await town.until(lambda: is_idle(town))
    first, second = await town.rows()
    assert (first.state.name, first.code) == ("FAILED", code)
    assert second.state.name == "ACCEPTED"
    (line,) = town.logged("parcel_failed")
    assert line["code"] == code
    assert line["trace"]
    assert "confidential" not in town.log.getvalue()


async def test_a_connection_that_was_not_established_is_not_ambiguous(town: TurnedTown) -> None:
    await town.graph.stop_listening()
    await town.say(ANN, "later")
    for _ in range(6):
        await town.turn(20)
    assert len(town.logged("graph_unreachable")) >= 4
    (row,) = await town.rows()
    assert (row.state.name, row.ambiguous) == ("WAITING", 0)
    await town.graph.listen_again()
    await town.turn_until(lambda: town.heard(ANN) == ["later"])
    assert town.count("parcels", "sent_again") == 0
    assert not town.logged("send_unanswered")


async def test_no_error_of_graphs_brings_words_or_the_token_into_the_log(town: TurnedTown) -> None:
    canary = "zyzzyva"
    echoing = Behaviour(
        accepts=False,
        status=400,
        answer=f'{{"error": {{"message": "{canary}", '
        f'"code": 131000, "fbtrace_id": "{canary} {canary}"}}}}'.encode(),
    )
    html = Behaviour(accepts=False, status=502, answer=f"<p>{canary}</p>".encode())
    town.graph.queue(echoing, html, cut_after_accepting(), error(131026, 400, message=canary))
    for word in ("one", "two"):
        await town.say(ANN, f"{word} {canary}")
        await town.settle()
        await town.turn_until(lambda: is_idle(town))
    assert len(town.graph.calls) >= 3
    log = town.log.getvalue()
    assert canary not in log
    assert "Bearer" not in log
    assert "access_token" not in log
    assert SENTENCES["otr"] not in log
