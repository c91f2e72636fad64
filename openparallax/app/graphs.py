"""Several of our numbers, each with its own way to Graph."""

from collections.abc import Mapping

from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import ErrorClass, NotSent, Outcome, Refused


class Graphs:
    """Chooses the client of a number; to all others it is one way to Graph."""

    def __init__(self, clients: Mapping[str, GraphClient]) -> None:
        self._clients = clients

    def __contains__(self, phone_number_id: object) -> bool:
        """Whether a number is served."""
        return phone_number_id in self._clients

    def numbers(self) -> frozenset[str]:
        """Those that are served."""
        return frozenset(self._clients)

    def exchange(self, clients: Mapping[str, GraphClient]) -> list[GraphClient]:
        """Go these ways from now on; return those that are gone by no more, to be retired.

        What was begun on one of those ends there.
        """
        kept = {id(one) for one in clients.values()}
        before, self._clients = self._clients, clients
        return [one for one in before.values() if id(one) not in kept]

    async def open(self) -> None:
        for client in self._clients.values():
            await client.open()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def send_text(self, *, phone_number_id: str, to: str, body: str, token: str) -> Outcome:
        """As `GraphClient.send_text`; a number that is not configured sends nothing.

        What was refused with a token, or at an address, that was exchanged meanwhile is sent again
        with the new one: nothing of it went out, and the refusal says nothing of the new one.
        """
        while client := self._clients.get(phone_number_id):
            outcome = await client.send_text(
                phone_number_id=phone_number_id, to=to, body=body, token=token
            )
            if self._clients.get(phone_number_id) is client or not _says_of_the_way(outcome):
                return outcome
        return NotSent("no_such_number")

    async def show_presence(self, *, phone_number_id: str, wamid: str, is_typing: bool) -> None:
        """As `GraphClient.show_presence`."""
        client = self._clients.get(phone_number_id)
        if client is not None:
            await client.show_presence(
                phone_number_id=phone_number_id, wamid=wamid, is_typing=is_typing
            )


def _says_of_the_way(outcome: Outcome) -> bool:
    """Whether it was not sent for a reason that lies in the token or the address."""
    if isinstance(outcome, Refused):
        return outcome.error_class is ErrorClass.ACCOUNT
    return isinstance(outcome, NotSent)
