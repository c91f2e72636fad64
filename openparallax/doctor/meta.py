"""Everything that Graph is asked about one number, in the order in which one thing needs another.

Two round trips one after the other for the token, and two for the rest: what can be asked at the
same time is.
"""

import asyncio

from openparallax.doctor.account import see_account
from openparallax.doctor.finding import Group
from openparallax.doctor.hooks import see_hooks
from openparallax.doctor.number import see_number
from openparallax.doctor.platform import see_platform, see_version_alone
from openparallax.doctor.subject import Ward
from openparallax.doctor.tokens import see_token

PATIENCE_S = 60.0
"""For all of it; each question has a shorter one of its own."""


async def see_meta(ward: Ward) -> None:
    """Examine what Meta knows of a number; what is found is in ``ward``. Never raises."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _see(ward)
    except TimeoutError:
        notes = ward.notes(Group.TOKEN)
        notes.failure(
            "graph.slow",
            "Graph answers so slowly that not everything could be examined.",
            why="Answers are late, too.",
            to_do="Try again, and see the network.",
        )
        ward.keep(notes)


async def _see(ward: Ward) -> None:
    ward.app_id, ward.waba_id = ward.subject.app_id, ward.subject.waba_id
    if not await see_token(ward):
        see_version_alone(ward) if ward.latest is None else see_platform(ward)
        return
    await see_number(ward)
    await asyncio.gather(see_account(ward), see_hooks(ward))
    see_platform(ward)
