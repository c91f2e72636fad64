"""Several of our numbers, each with its own way to Graph."""

from collections.abc import Mapping

from openparallax.graph.client import GraphClient
from openparallax.model.outcomes import NotSent, Outcome


class Graphs:
    """Chooses the client of a number; to all others it is one way to Graph."""

    def __init__(self, clients: Mapping[str, GraphClient]) -> None:
        self._clients = clients

    async def open(self) -> None:
        for client in self._clients.values():
            await client.open()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    async def send_text(self, *, phone_number_id: str, to: str, body: str, token: str) -> Outcome:
        """As `GraphClient.send_text`; a number that is not configured sends nothing."""
        client = self._clients.get(phone_number_id)
        if client is None:
            return NotSent("no_such_number")
        return await client.send_text(
            phone_number_id=phone_number_id, to=to, body=body, token=token
        )

    async def show_presence(self, *, phone_number_id: str, wamid: str, is_typing: bool) -> None:
        """As `GraphClient.show_presence`."""
        client = self._clients.get(phone_number_id)
        if client is not None:
            await client.show_presence(
                phone_number_id=phone_number_id, wamid=wamid, is_typing=is_typing
            )
