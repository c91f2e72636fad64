"""The phone page in a browser, by what a person sees."""

import shutil

from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request, expect

HOSTILE = "evil.example"
"""A name of somebody else's that leads to this machine, as it does after DNS rebinding."""
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {HOSTILE} 127.0.0.1",
)
PATIENCE_MS = 60_000
"""Nothing takes so long, but on a machine that has other things to do."""
REMEMBER_BREACHES = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def chromium() -> str | None:
    """The machine's own; Playwright is never let download one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


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
        expect.set_options(timeout=PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", self._fail)
        page.on("request", self._ask)

    async def begin(self) -> None:
        """Be where the page is when it has been opened: at Ann's chat, with the wire beside it."""
        if not self.page.url.startswith(f"{self.url}/"):
            await self.page.goto(self.url)
            await expect(self.draft).to_be_focused()
            return
        await self.page.get_by_role("tab", name="Wire").click()
        await self.page.locator(".person", has_text="Ann").click()
        await self.draft.fill("")
        await expect(self.bubbles).to_have_count(0)

    async def end(self) -> list[str]:
        """Errors, breaches of the page's policy, and requests to anywhere else."""
        if await self.page.locator(".menu").count():
            await self.page.keyboard.press("Escape")
        errors = [one for one in self._errors if not any(part in one for part in self.expected)]
        breaches: list[str] = await self.page.evaluate("window.breaches.splice(0)")
        outside = [url for url in self._asked if not url.startswith((self.url, "blob:"))]
        self.page.remove_listener("console", self._hear)
        self.page.remove_listener("pageerror", self._fail)
        self.page.remove_listener("request", self._ask)
        return errors + breaches + outside

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self._errors.append(said.text)

    def _fail(self, error: Error) -> None:
        self._errors.append(str(error))

    def _ask(self, request: Request) -> None:
        self._asked.append(request.url)

    async def tab(self, name: str) -> Locator:
        """Open a tab of the panel; what it shows."""
        await self.page.get_by_role("tab", name=name).click()
        return self.page.get_by_role("tabpanel", name=name)

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
