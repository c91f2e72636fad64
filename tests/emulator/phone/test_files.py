"""The page's files: a fixed list, of the right types, under a policy that lets nothing else in."""

import hashlib
import re

import pytest

from openparallax.emulator.phone.files import FOLDER, static_files
from tests.emulator.phone.browser import Browser

VENDOR = FOLDER / "vendor"


async def test_the_page_comes_with_its_policy(page: Browser) -> None:
    status, body, headers = await page.get("/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in headers["Content-Security-Policy"]
    html = body.decode()
    assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style| on\w+=| style=", html) == []
    named = re.findall(r'(?:src|href)="([^"]+)"', html)
    for path in named:
        assert (await page.get(path))[0] == 200, path
    assert len(named) >= 4


@pytest.mark.parametrize("name", sorted(static_files()))
async def test_each_file_is_served_with_its_type(page: Browser, name: str) -> None:
    status, body, headers = await page.get(f"/phone/static/{name}")
    assert status == 200
    assert body == (FOLDER / name).read_bytes()
    ending = name.rpartition(".")[2]
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert headers["Content-Type"].startswith({**types, "html": "text/html"}[ending])
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/phone/static/",
        "/phone/static/nothing.js",
        "/phone/static/vendor/LICENSE",
        "/phone/static/../page.py",
        "/phone/static/%2e%2e/page.py",
        "/phone/static/..%2fpage.py",
        "/phone/static//etc/passwd",
        "/phone/static/main.js/",
        "/phone/static/\ufffd",
        "/phone/nothing",
        "/phone/events/more",
        "/phone/media/",
        "/phone/wire/0",
    ],
)
async def test_nothing_else_is_served(page: Browser, path: str) -> None:
    url = f"{page.url}{path}"
    async with page.session.get(url.replace("..", "%2e%2e")) as response:
        assert response.status in {200, 404}
        said = await response.read()
    if response.status == 200:
        assert said == static_files()["main.js"][0]
        assert path == "/phone/static/main.js/"
    else:
        assert set(await response.json()) == {"error"}


def test_every_module_is_fetched_at_once() -> None:
    """A module that is only found by reading another one costs a round trip."""
    html = static_files()["index.html"][0].decode()
    asked = re.findall(r'(?:modulepreload" href|type="module" src)="/phone/static/([^"]+)"', html)
    assert sorted(asked) == sorted(name for name in static_files() if name.endswith(".js"))


async def test_no_file_names_anything_outside(page: Browser) -> None:
    known = {"http://www.w3.org/2000/svg", "https://www.openstreetmap.org/", "https://${url}"}
    for name, (body, _) in static_files().items():
        if not name.startswith("vendor/"):
            found = set(re.findall(r"https?://[^\s\"'`?)]+", body.decode()))
            assert found - known == set(), name


def test_words_never_become_markup() -> None:
    for name, (body, _) in static_files().items():
        if name.endswith(".js") and not name.startswith("vendor/"):
            found = re.findall(r"innerHTML|outerHTML|insertAdjacent|unsafe|\beval\b", body.decode())
            assert found == [], name


def test_the_vendored_library_is_what_its_note_says() -> None:
    note = (VENDOR / "README.md").read_text("utf-8")
    said = dict(re.findall(r"\| `([\w./-]+)` \| `([0-9a-f]{64})` \|", note))
    files = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*.js")}
    assert said == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()
    }
    assert "BSD 3-Clause License" in (VENDOR / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(name for name in static_files() if "/" not in name))
def test_no_file_is_too_long(name: str) -> None:
    assert len(static_files()[name][0].splitlines()) <= 300
