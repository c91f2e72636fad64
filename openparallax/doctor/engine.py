"""The engine: can it be reached, with this key and this model?"""

import asyncio
import inspect
from typing import Any, Final

from openparallax.doctor.finding import Finding, Group, Notes
from openparallax.pipeline import EngineError

PATIENCE_S: Final = 30.0


async def see_engine(name: str, engine: Any, *, when: str = "") -> list[Finding]:
    """Have an engine look after itself, if it can; spends a token at most.

    Args:
        name: As the configuration has it.
        engine: Made, and closed by the caller.
        when: Such as ``off the record``; "": it is the only one.
    """
    notes = Notes(Group.ENGINE)
    which = f"The engine {name}{f' ({when})' if when else ''}"
    check = getattr(engine, "check", None)
    if check is None:
        notes.ok("engine.reachable", f"{which} has nothing to examine.")
        return notes.found
    try:
        async with asyncio.timeout(PATIENCE_S):
            asking = check()
            if inspect.isawaitable(asking):
                await asking
    except EngineError as error:
        _failed(notes, f"{which} cannot answer: {str(error).rstrip('.')}.")
    except TimeoutError:
        _failed(notes, f"{which} did not answer within {PATIENCE_S:.0f} seconds.")
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and quote anything
        _failed(notes, f"{which} could not examine itself ({type(error).__name__}).")
    else:
        notes.ok("engine.reachable", f"{which} can be reached, with its key and model.")
    return notes.found


def _failed(notes: Notes, says: str) -> None:
    notes.failure(
        "engine.reachable",
        says,
        why="People are told that it did not work.",
        to_do="Mend what it says, and run the doctor again.",
    )
