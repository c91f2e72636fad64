"""Makes a programme that fails smaller, as long as it fails in the same way.

Delta debugging: leave out half of the steps, a quarter, and so on down to single ones; then what is
inside the steps that are left. What happens when depends on the machine too, so a programme that
fails only sometimes may not become as small as it could; it never becomes one that was not seen to
fail.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from tests.torture.programme import Programme, Step

Fails = Callable[[Programme], Awaitable[bool]]


async def shrink(programme: Programme, fails: Fails, *, is_late: Callable[[], bool]) -> Programme:
    """The smallest that was found.

    Args:
        programme: Fails.
        fails: Plays one, and says whether it fails in the same way.
        is_late: Whether to stop.
    """
    programme = await _fewer_steps(programme, fails, is_late)
    found = True
    while found and not is_late():
        found = False
        for smaller in _simpler(programme):
            if is_late():
                break
            if await fails(smaller):
                programme, found = smaller, True
                break
    return programme


async def _fewer_steps(
    programme: Programme, fails: Fails, is_late: Callable[[], bool]
) -> Programme:
    size = max(1, len(programme.steps) // 2)
    while not is_late():
        at, has_shrunk = 0, False
        while at < len(programme.steps) and not is_late():
            left = programme.steps[:at] + programme.steps[at + size :]
            smaller = programme.with_steps(left)
            if left and await fails(smaller):
                programme, has_shrunk = smaller, True
            else:
                at += size
        if size == 1 and not has_shrunk:
            break
        size = max(1, size // 2)
    return programme


def _simpler(programme: Programme) -> Iterator[Programme]:
    """Each programme that is simpler in one place."""
    if programme.accounts > 1 and all(one.account == 0 for one in programme.messages):
        yield replace(programme, accounts=1)
    for place, step in enumerate(programme.steps):
        for simpler in _simpler_steps(step):
            steps = (*programme.steps[:place], simpler, *programme.steps[place + 1 :])
            yield programme.with_steps(steps)


def _simpler_steps(step: Step) -> Iterator[Step]:
    if step.is_doubled:
        yield replace(step, is_doubled=False)
    if step.count > 1:
        yield replace(step, count=1)
    for at, request in enumerate(step.requests):
        before, behind = step.requests[:at], step.requests[at + 1 :]
        if len(step.requests) > 1:
            yield replace(step, requests=before + behind)
        for place, message in enumerate(request):
            if len(request) > 1:
                fewer = request[:place] + request[place + 1 :]
                yield replace(step, requests=(*before, fewer, *behind))
            if message.mood:
                plain = replace(message, mood="")
                said = (*request[:place], plain, *request[place + 1 :])
                yield replace(step, requests=(*before, said, *behind))
