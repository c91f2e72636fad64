"""A page in the operator's browser, a real one, against the operator's listener."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Error, Page

from openparallax.webhook.gate import Gate, Refused
from tests.admin.conftest import Office
from tests.browser.window import HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="session")

GIVE_UP_MS = 400
SAID = "openparallax_secret_metric"

# Each returns what it could find out.
ATTACKS = {
    "fetch": "async url => (await fetch(url + '/metrics')).text()",
    "fetch of readiness": "async url => (await fetch(url + '/readyz')).text()",
    "fetch, not to be read": """async url => (await fetch(url + '/metrics', {
        mode: 'no-cors'})).text()""",
    "post, not to be read": """async url => (await fetch(url + '/control/forget', {
        method: 'POST', mode: 'no-cors', body: '{"chat": 1}'})).text()""",
    "post of JSON, which asks first": """async url => (await fetch(url + '/control/forget', {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: '{"chat": 1}'})).text()""",
    "a header of one's own, which asks first": """async url => (await fetch(url + '/metrics', {
        headers: {'X-Own': '1'}})).text()""",
    "into another address space": """async url => (await fetch(url + '/metrics', {
        targetAddressSpace: 'loopback'})).text()""",
    "beacon": "async url => {navigator.sendBeacon(url + '/control/forget', '{}'); return ''}",
    "events": """url => new Promise(done => {
        const one = new EventSource(url + '/metrics');
        one.onmessage = event => done(event.data); one.onerror = () => {one.close(); done('')}})""",
    "socket": """url => new Promise(done => {
        const one = new WebSocket(url.replace('http', 'ws') + '/metrics');
        one.onopen = () => done('SAID'); one.onerror = () => done('')})""",
    "script": """url => new Promise(done => {
        const one = document.createElement('script'); one.src = url + '/metrics';
        one.onload = () => done('SAID'); one.onerror = () => done('');
        document.body.append(one)})""",
    "module": """async url => JSON.stringify(await import(url + '/metrics'))""",
    "style": """url => new Promise(done => {
        const one = document.createElement('link'); one.rel = 'stylesheet';
        one.href = url + '/metrics';
        one.onload = () => done('SAID'); one.onerror = () => done('');
        document.body.append(one)})""",
    "picture": """url => new Promise(done => {
        const one = new Image(); one.onload = () => done('SAID'); one.onerror = () => done('');
        one.src = url + '/metrics'})""",
    "frame": """url => new Promise(done => {
        const one = document.createElement('iframe'); one.src = url + '/metrics';
        one.onload = () => {try {done(one.contentDocument.body.innerText)} catch {done('')}};
        document.body.append(one)})""",
    "form": """url => new Promise(done => {
        const one = document.createElement('iframe'); one.name = 'form';
        const form = document.createElement('form'); form.target = 'form'; form.method = 'POST';
        form.enctype = 'text/plain'; form.action = url + '/control/forget';
        const field = document.createElement('input'); field.name = '{"chat": 1, "x": "';
        field.value = '"}'; form.append(field); document.body.append(one, form);
        one.onload = () => {try {done(one.contentDocument.body.innerText)} catch {done('')}};
        form.submit()})""",
    "worker": """url => new Promise(done => {
        try {const one = new Worker(url + '/metrics');
             one.onmessage = event => done(event.data); one.onerror = () => done('')}
        catch {done('')}})""",
}


class Watched(Office):
    """Says something that is worth having, and remembers what it answered to whom."""

    def __post_init__(self) -> None:
        self.answered: list[tuple[str, int]] = []
        super().__post_init__()
        answer = self.server._answer_tcp

        async def watching(request: web.BaseRequest) -> web.StreamResponse:
            response = await answer(request)
            self.answered.append((request.path, response.status))
            return response

        self.server._answer_tcp = watching  # type: ignore[method-assign]

    async def _exposition(self, accept: str) -> tuple[bytes, str]:
        del accept
        return f"{SAID} 1\n".encode(), "text/plain; version=0.0.4"


@pytest_asyncio.fixture(loop_scope="session")
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    called: list[Mapping[str, Any]] = []

    async def forget(asked: Mapping[str, Any]) -> dict[str, Any]:
        called.append(asked)
        return {}

    office = Watched(tmp_path, {"forget": forget}, reasons=[SAID])
    await office.server.start()
    yield office
    await office.server.close()
    assert called == []


@pytest_asyncio.fixture(loop_scope="session")
async def hostile(browser: Browser) -> AsyncIterator[Page]:
    """A page of somebody else's, open in the operator's browser."""

    async def serve(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="<!doctype html><title>hi</title>", content_type="text/html")

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    page = await browser.new_page()
    await page.goto(f"http://{HOSTILE}:{site.port}/")
    yield page
    await page.close()
    await runner.cleanup()


async def try_out(page: Page, name: str, url: str) -> str:
    """What an attack finds out; some a browser keeps waiting for an answer of its user."""
    attempt = f"""url => Promise.race([
        ({ATTACKS[name]})(url), new Promise(done => setTimeout(done, {GIVE_UP_MS}, ''))])"""
    try:
        return str(await page.evaluate(attempt, url))
    except Error:
        return ""  # the browser itself did not let it


async def test_a_page_gets_nothing_and_changes_nothing(hostile: Page, watched: Watched) -> None:
    reached = 0
    for host in ("127.0.0.1", HOSTILE):
        url = f"http://{host}:{watched.server.port}"
        for name in ATTACKS:
            found = await try_out(hostile, name, url)
            assert SAID not in found, name
            assert "SAID" not in found, name
        if host != HOSTILE:
            await hostile.evaluate("url => location.assign(url + '/metrics')", url)
            await hostile.wait_for_url(f"{url}/metrics")
            assert SAID not in await hostile.content()
            await hostile.go_back()
        assert len(watched.answered) > reached  # the browser let it come as far as here
        reached = len(watched.answered)
    assert {status for _, status in watched.answered} <= {403, 421}


async def test_a_name_that_was_made_to_lead_here_is_not_answered(
    hostile: Page, watched: Watched
) -> None:
    """To the browser it is the page's own origin: only the name in `Host` tells."""
    for path in ("/metrics", "/readyz", "/healthz"):
        response = await hostile.goto(f"http://{HOSTILE}:{watched.server.port}{path}")
        assert response is not None
        assert response.status == 421
        assert SAID not in await hostile.content()
    assert {status for _, status in watched.answered} == {421}


async def test_the_operator_s_own_look_is_answered(hostile: Page, watched: Watched) -> None:
    """The control: what the pages above did not get is there."""
    answer = await hostile.goto("about:blank")  # what the operator types comes from no page
    answer = await hostile.goto(f"http://127.0.0.1:{watched.server.port}/metrics")
    assert answer is not None
    assert SAID in await answer.text()


async def test_a_page_posts_no_message_where_signatures_are_not_checked(hostile: Page) -> None:
    """Without a secret the public listener takes what a program of this machine brings."""
    gate = Gate(keys=(), accounts=frozenset(), allow_unsigned=False, body_timeout_s=5)
    came: list[int] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        try:
            await gate.body(request)
        except Refused as refused:
            came.append(refused.status)
            return web.Response(status=refused.status)
        came.append(200)
        return web.Response()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    for host in ("127.0.0.1", "localhost"):
        for name in ("post, not to be read", "beacon", "form"):
            await try_out(hostile, name, f"http://{host}:{site.port}")
    await runner.cleanup()
    assert set(came) == {401}
