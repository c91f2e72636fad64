"""What most nouns are made with: frozen to the type checker, and quick to make.

Python pays for each field of a frozen dataclass when one is made. A message on its way to its 200
makes half a dozen of them, which was a tenth of what parsing and the door cost (in instructions
counted). The type checker sees every line of the house and refuses a change just the same. What is
handed to plugins, whom nobody checks, is really frozen (`model.turn`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as noun
else:
    from dataclasses import dataclass
    from functools import partial

    def noun(*, frozen: bool, slots: bool) -> partial:
        """A frozen dataclass, save that changing one is not refused at run time."""
        return partial(dataclass, slots=slots, unsafe_hash=frozen)


__all__ = ["noun"]
