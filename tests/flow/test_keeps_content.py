"""What keeps content is not used off the record."""

from openparallax.session.notices import SENTENCES
from tests.fakes.engines import FakeEngine
from tests.town import ANN, Town


class Keeper(FakeEngine):
    keeps_content = True


async def test_otr_is_refused_in_words_and_nothing_of_it_is_kept(town: Town) -> None:
    town.engine = Keeper()
    await town.restart()
    await town.say(ANN, "/otr confidential")
    assert await town.hears(ANN, 1) == [SENTENCES["otr_refused"]]
    await town.say(ANN, "/status")
    assert "On the record" in (await town.hears(ANN, 2))[1]
    assert town.engine.asked == []
    assert b"confidential" not in town.written()
    assert "off_the_record_refused" in town.log.getvalue()


async def test_who_is_off_the_record_already_is_not_answered_by_it(town: Town) -> None:
    await town.say(ANN, "/otr")
    await town.hears(ANN, 1)
    town.engine = Keeper()
    await town.restart()
    await town.say(ANN, "confidential")
    assert (await town.hears(ANN, 2))[1] == SENTENCES["otr_refused"]
    assert town.engine.asked == []
    assert b"confidential" not in town.written()
