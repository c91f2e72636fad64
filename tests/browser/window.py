"""The phone page in a browser, by what a person sees."""

from playwright.async_api import Locator, Page, expect

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 5_000
_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
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
        page.on("console", lambda said: self._errors.append(said.text) if _is_bad(said.type) else 0)
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("request", lambda request: self._asked.append(request.url))

    async def open(self, person: str = "") -> None:
        await self.page.add_init_script(_VIOLATIONS)
        await self.page.goto(f"{self.url}/#{person}")
        await expect(self.draft).to_be_visible()

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

    async def trouble(self) -> list[str]:
        """Errors, breaches of the policy, and requests to anywhere else."""
        errors = [one for one in self._errors if not any(part in one for part in self.expected)]
        found: list[str] = await self.page.evaluate("window.violations")
        outside = [url for url in self._asked if not url.startswith((self.url, "blob:"))]
        return errors + found + outside


def _is_bad(kind: str) -> bool:
    return kind in {"error", "warning"}
