from dataclasses import replace

import pytest

from openparallax.pipeline import EngineError, Next, Stage, TooSlow, compose
from openparallax.plugin import Engine, Reply, Turn
from tests.pipeline.doubles import make_turn


class Parrot:
    keeps_content = False
    writes_markdown = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, turn: Turn) -> Reply:
        self.asked.append(turn.text)
        return Reply(text=turn.text)

    async def close(self) -> None:
        return


class Broken(Parrot):
    async def answer(self, turn: Turn) -> Reply:
        raise EngineError


class Bracket:
    """Marks what goes in and what comes out."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    async def __call__(self, turn: Turn, call_next: Next) -> Reply:
        self.log.append(f"{self.name} in")
        reply = await call_next(replace(turn, text=f"{turn.text}>{self.name}"))
        self.log.append(f"{self.name} out")
        return replace(reply, text=f"{reply.text}<{self.name}")


async def instead(turn: Turn, call_next: Next) -> Reply:
    return Reply(text=f"no need to ask about {len(turn.text)} characters")


async def twice(turn: Turn, call_next: Next) -> Reply:
    first, second = await call_next(turn), await call_next(turn)
    return Reply(text=f"{first.text} {second.text}")


async def catching(turn: Turn, call_next: Next) -> Reply:
    try:
        return await call_next(turn)
    except EngineError:
        return Reply(text=None)


async def test_without_stages_the_engine_answers() -> None:
    assert await compose([], Parrot())(make_turn("hi")) == Reply(text="hi")


async def test_the_first_stage_is_outermost_and_stages_nest() -> None:
    log: list[str] = []
    engine = Parrot()
    run = compose([Bracket("a", log), Bracket("b", log), Bracket("c", log)], engine)
    reply = await run(make_turn("hi"))
    assert engine.asked == ["hi>a>b>c"]
    assert reply.text == "hi>a>b>c<c<b<a"
    assert log == ["a in", "b in", "c in", "c out", "b out", "a out"]


async def test_a_stage_may_answer_instead_of_what_is_inside() -> None:
    log: list[str] = []
    engine = Parrot()
    run = compose([Bracket("a", log), instead, Bracket("c", log)], engine)
    assert (await run(make_turn("hi"))).text == "no need to ask about 4 characters<a"
    assert engine.asked == []
    assert log == ["a in", "a out"]


async def test_a_stage_may_ask_twice() -> None:
    engine = Parrot()
    assert (await compose([twice], engine)(make_turn("hi"))).text == "hi hi"
    assert engine.asked == ["hi", "hi"]


@pytest.mark.parametrize("stages", [[catching], [catching, twice], [twice, catching]])
async def test_a_stage_may_catch_what_fails_inside(stages: list[Stage]) -> None:
    reply = await compose(stages, Broken())(make_turn())
    assert reply.text in (None, "None None")


async def test_a_stage_does_not_catch_what_fails_outside() -> None:
    async def failing(turn: Turn, call_next: Next) -> Reply:
        await call_next(turn)
        raise TooSlow

    with pytest.raises(TooSlow):
        await compose([failing, catching], Parrot())(make_turn())


async def test_what_fails_inside_comes_out_unchanged() -> None:
    log: list[str] = []
    with pytest.raises(EngineError, match="could not answer"):
        await compose([Bracket("a", log)], Broken())(make_turn())
    assert log == ["a in"]


async def test_a_pipeline_serves_many_turns_and_leaves_each_as_it_was() -> None:
    run = compose([Bracket("a", [])], Parrot())
    turn = make_turn("hi")
    assert [(await run(turn)).text for _ in range(3)] == ["hi>a<a"] * 3
    assert turn.text == "hi"


def test_the_parrot_is_an_engine() -> None:
    engine: Engine = Parrot()
    assert engine.writes_markdown is False


def test_failures_name_their_notice() -> None:
    assert EngineError.notice == "engine_failed"
    assert TooSlow.notice == "too_slow"
    assert issubclass(TooSlow, EngineError)


def test_a_failure_may_say_what_it_cost() -> None:
    spent = EngineError("The model refused.", usage={"input": 3}, model="m")
    assert (str(spent), spent.usage, spent.model) == ("The model refused.", {"input": 3}, "m")
    assert (TooSlow().usage, TooSlow().model, TooSlow.notice) == ({}, "", "too_slow")
