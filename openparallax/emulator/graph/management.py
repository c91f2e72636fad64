"""What a dashboard, a doctor or an installer asks: numbers, account, app, tokens, templates."""

from openparallax.emulator.graph.asked import Answer, Asked, Handler, Routes
from openparallax.emulator.graph.business import Business
from openparallax.emulator.graph.fields import no_object
from openparallax.emulator.graph.media import Media
from openparallax.emulator.graph.numbers import Numbers
from openparallax.emulator.graph.resumable import PREFIX, Resumable
from openparallax.emulator.graph.subscriptions import Subscriptions
from openparallax.emulator.graph.templates import Templates
from openparallax.emulator.graph.tokens import Tokens
from openparallax.emulator.webhooks.delivery import Delivery
from openparallax.emulator.world import World


class Management:
    """Answers about the account; knows whose id a node is, also where it is a file's.

    Attributes:
        templates: Where one that waits is decided on.
    """

    def __init__(self, world: World, delivery: Delivery, media: Media) -> None:
        self._world = world
        self._media = media
        self._subscriptions = Subscriptions(world, delivery)
        self._numbers = Numbers(world, self._subscriptions)
        self._business = Business(world)
        self.templates = Templates(world, delivery)
        self._tokens = Tokens(world)
        self._resumable = Resumable(world)

    def routes(self) -> Routes:
        edges = {
            **self._numbers.routes(),
            **self._subscriptions.routes(),
            **self.templates.routes(),
            **self._tokens.routes(),
            **self._resumable.routes(),
        }
        return {
            ("GET", ""): self._get,
            ("POST", ""): self._post,
            ("DELETE", ""): self._delete,
            **{key: _named(key[1], handler) for key, handler in edges.items()},
        }

    async def _get(self, asked: Asked) -> Answer:
        account, exchange = self._world.account, asked.exchange
        if account.number(asked.node) is not None:
            exchange.what = "number"
            return self._numbers.describe(asked)
        if asked.node == account.waba_id:
            exchange.what = "business account"
            return self._business.describe(asked)
        if asked.node == account.app_id:
            exchange.what = "app"
            return self._business.describe_app(asked)
        if self.templates.find(asked.node) is not None:
            exchange.what = "template"
            return self.templates.describe(asked)
        if asked.node.startswith(PREFIX):
            exchange.what = "upload"
            return self._resumable.describe(asked)
        exchange.what = "media · address"
        return self._media.describe(asked)

    async def _post(self, asked: Asked) -> Answer:
        if self._world.account.number(asked.node) is not None:
            asked.exchange.what = "number · change"
            return await self._numbers.change(asked)
        if self.templates.find(asked.node) is not None:
            asked.exchange.what = "template · change"
            return self.templates.change(asked)
        if asked.node.startswith(PREFIX):
            asked.exchange.what = "upload"
            return self._resumable.take(asked)
        raise no_object(asked.method, asked.node)

    async def _delete(self, asked: Asked) -> Answer:
        asked.exchange.what = "media · delete"
        return self._media.delete(asked)


def _named(what: str, handler: Handler) -> Handler:
    """The same, and the wire says what it was."""

    async def answer(asked: Asked) -> Answer:
        asked.exchange.what = what.replace("_", " ")
        return await handler(asked)

    return answer
