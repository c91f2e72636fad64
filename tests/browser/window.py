"""The phone page in a browser, by what a person sees."""

from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request, expect

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 5_000
REMEMBER_BREACHES = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Window:
    """One page.

    Attributes:
        expected: Pieces of console errors that a test provokes itself.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.expected: tuple[str, ...] = ()
        self._errors: list[str] = []
        self._asked: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", self._fail)
        page.on("request", self._ask)

    async def open(self, person: str = "") -> None:
        await self.page.goto(f"{self.url}/#{person}")
        await expect(self.draft).to_be_visible()

    async def close(self) -> list[str]:
        """Leave the page; errors, breaches of its policy, and requests to anywhere else."""
        errors = [one for one in self._errors if not any(part in one for part in self.expected)]
        breaches: list[str] = await self.page.evaluate("window.breaches")
        outside = [url for url in self._asked if not url.startswith((self.url, "blob:"))]
        self.page.remove_listener("console", self._hear)
        self.page.remove_listener("pageerror", self._fail)
        self.page.remove_listener("request", self._ask)
        await self.page.goto("about:blank")
        return errors + breaches + outside

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self._errors.append(said.text)

    def _fail(self, error: Error) -> None:
        self._errors.append(str(error))

    def _ask(self, request: Request) -> None:
        self._asked.append(request.url)

    @property
    def draft(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    @property
    def bubbles(self) -> Locator:
        return self.page.locator(".row[data-wamid]")

    def bubble(self, text: str) -> Locator:
        """The bubble that shows this."""
        return self.bubbles.filter(has_text=text)

    async def say(self, text: str) -> Locator:
        """Type and send; the bubble."""
        await self.draft.fill(text)
        await self.draft.press("Enter")
        bubble = self.bubbles.last
        await expect(bubble).to_contain_text(text)
        return bubble
