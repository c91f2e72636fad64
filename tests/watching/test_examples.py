"""The files that go with a daemon: what they name is there, and programs take them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from openparallax.app.care import TokenState
from openparallax.cli.example import names, text_of
from openparallax.config.models import Conversation
from openparallax.config.whatsapp import WhatsApp
from openparallax.plugin import Reply, Turn
from openparallax.webhook.gate import MAX_BODY
from tests.admin.reading import Read
from tests.architecture.source import ROOT
from tests.architecture.test_documented import README
from tests.architecture.test_readme import _HEADING, _anchor, _without_code
from tests.fakes import meta
from tests.fakes.behaviours import error
from tests.fakes.engines import FakeEngine
from tests.flow.test_alerts import Alarmed, alarm
from tests.town import ANN, BOB
from tests.watching.promql import named_in

OF_A_SCRAPE = {"job", "instance"}
FUNCTIONS = {
    "changes", "histogram_quantile", "increase", "max", "min", "predict_linear", "rate", "sum",
    "time",
}  # fmt: skip
RULES = yaml.safe_load(text_of("prometheus-rules.yaml"))
DASHBOARD = json.loads(text_of("grafana-dashboard.json"))
FOLDER = Path(str(files("openparallax"))) / "examples"


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for one in DASHBOARD["annotations"]["list"]:
        yield one["name"], one["expr"]
    for one in DASHBOARD["templating"]["list"]:
        if one["type"] == "query":
            [(inner, label)] = re.findall(r"^label_values\((.+), (\w+)\)$", one["definition"])
            assert label in OF_A_SCRAPE
            yield one["name"], inner


@pytest_asyncio.fixture
async def exposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> AsyncIterator[Read]:
    """What a daemon shows that has answered, has failed to, and has a certificate of its own."""

    async def answer(turn: Turn) -> Reply:
        if turn.text == "fail":
            raise RuntimeError
        return Reply(text=turn.text, usage={"input": 1, "output": 2}, model="made-up")

    engine.answer_with = answer
    changes = alarm(tmp_path)
    async with Alarmed(tmp_path, monkeypatch, engine=engine, changes=changes) as town:
        town.graph.queue(error(131026))
        await town.say(BOB, "nobody can reach me")
        await town.until(lambda: town.up.metrics.value("sends", "failed") == 1)
        for count, words in enumerate(("hello", "fail"), start=1):
            await town.say(ANN, words)
            await town.hears(ANN, count)
        await town.quiet()
        await town.look()
        town.ends_with(3)
        await town.ask("alerts_test")
        watching = town.up.watchers._lookout
        watching._certificate = 1.9e9
        watching._token_states = lambda: [TokenState((meta.PHONE_NUMBER_ID,), expires_at=0)]
        async with town.session.get(town.up.admin.url + "/metrics") as got:
            yield Read(await got.text())


def complaints(expression: str, exposed: Read) -> Iterator[str]:
    """What an expression names that no daemon shows."""
    named, known = named_in(expression), {"up": set(OF_A_SCRAPE)}
    for name, labels in exposed.samples:
        known.setdefault(name, set(OF_A_SCRAPE)).update(label for label, _ in labels)
    if not named.metrics:
        yield "no metric"
    for metric, asked in named.metrics:
        if metric not in known:
            yield metric
            continue
        yield from (f"{metric}{{{label}}}" for label in asked.keys() - known[metric])
        for label, (operator, value) in asked.items():
            values = {one.get(label, "") for one in exposed.labels(metric)}
            if label in OF_A_SCRAPE or metric == "up":
                continue
            for word in value.split("|") if "~" in operator else [value]:
                yield from () if word in values else (f"{metric}{{{label}={word}}}",)
    every = set().union(*(known.get(metric, set()) for metric, _ in named.metrics))
    yield from (f"by {label}" for label in named.groups - every)
    yield from (f"{name}()" for name in named.functions - FUNCTIONS)


async def test_every_metric_and_label_that_is_named_is_shown(exposed: Read) -> None:
    found = {
        (where, complaint)
        for where, expression in expressions()
        for complaint in complaints(expression, exposed)
    }
    assert found == set()


async def test_what_is_not_shown_is_noticed(exposed: Read) -> None:
    wrong = {
        "openparallax_made_up > 1": ["openparallax_made_up"],
        'sum by (made_up) (rate(openparallax_sends_total{made="up"}[5m]))': [
            "openparallax_sends_total{made}",
            "openparallax_sends_total{made=up}",
            "by made_up",
        ],
        'openparallax_sends_total{outcome="acepted"}': [
            "openparallax_sends_total{outcome=acepted}"
        ],
        "rat(openparallax_ready)": ["rat()"],
        "1 > 0": ["no metric"],
    }
    for expression, complained in wrong.items():
        assert list(complaints(expression, exposed)) == complained


def test_every_rule_says_what_is_wrong_and_where_to_read_on() -> None:
    anchors = {_anchor(one) for one in _HEADING.findall(_without_code(README.read_text("utf-8")))}
    seen = set()
    for rule in rules():
        assert re.fullmatch(r"OpenParallax[A-Z]\w+", rule["alert"])
        assert rule["alert"] not in seen
        seen.add(rule["alert"])
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        notes = rule["annotations"]
        assert notes.keys() == {"summary", "description", "runbook"}
        file, _, anchor = notes["runbook"].partition("#")
        assert (file, anchor in anchors) == ("README.md", True), notes["runbook"]
        named = named_in(rule["expr"])
        shown = set(re.findall(r"\$labels\.(\w+)", notes["description"]))
        assert shown <= OF_A_SCRAPE | named.groups | {"account", "queue", "kind"}


def test_the_dashboard_fits_together() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers)) > 20
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    for panel in panels():
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"])))
    assert used - {"__rate_interval"} <= variables


# -- proxies and programs -------------------------------------------------------------------------


def _default(name: str) -> Any:
    return WhatsApp.model_fields[name].default


def test_the_proxies_pass_on_what_the_daemon_takes() -> None:
    path, port = _default("webhook_path"), _default("webhook_port")
    nginx, caddy = text_of("nginx.conf"), text_of("Caddyfile")
    assert f"location = {path} {{" in nginx
    assert set(re.findall(r"proxy_pass http://([^;]+);", nginx)) == {f"127.0.0.1:{port}"}
    for limit in ("client_max_body_size", "client_body_buffer_size"):
        [size] = re.findall(rf"{limit} (\d+)m;", nginx)
        assert int(size) * 2**20 >= MAX_BODY
    assert f"handle {path} {{" in caddy
    assert set(re.findall(r"reverse_proxy (\S+)", caddy)) == {f"127.0.0.1:{port}"}


def test_the_containers_are_locked_in() -> None:
    services = yaml.safe_load(text_of("compose.yaml"))["services"]
    ours = services["openparallax"]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    assert "ports" not in ours
    assert int(ours["stop_grace_period"].removesuffix("s")) > Conversation().drain_seconds + 30
    given = set(yaml.safe_load(text_of("compose.yaml"))["secrets"])
    assert set(ours["secrets"]) == given
    image = (ROOT / "scripts" / "Containerfile").read_text("utf-8")
    assert f"USER {ours['user']}\n" in image
    assert all(
        volume.split(":")[1] in image or "config.yaml" in volume for volume in ours["volumes"]
    )


def test_each_begins_with_what_it_is() -> None:
    for name in names():
        lines = [line for line in text_of(name).splitlines() if not line.startswith("#!")]
        assert re.match(r"# \S.{20,}", lines[0]) or name.endswith(".json"), name
        assert text_of(name).endswith("\n")
        assert name.endswith(".json") or max(map(len, lines)) <= 100, name


CHECKS = {
    "prometheus-rules.yaml": ["promtool", "check", "rules"],
    "alert.sh": ["sh", "-n"],
    "certbot-hook.sh": ["sh", "-n"],
    "Caddyfile": ["caddy", "validate", "--adapter", "caddyfile", "--config"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_programs_take_them(name: str, tmp_path: Path) -> None:
    """As far as the programs are there."""
    command = CHECKS[name]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    _runs([*command, str(FOLDER / name)], tmp_path)


def test_the_rules_do_what_they_say(tmp_path: Path) -> None:
    """Prometheus's own tests of its rules, on made-up series."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    tests = Path(__file__).with_name("rules-test.yaml").read_text("utf-8")
    file = tmp_path / "rules-test.yaml"
    file.write_text(tests.replace("RULES", str(FOLDER / "prometheus-rules.yaml")))
    _runs(["promtool", "test", "rules", str(file)], tmp_path)


def _runs(command: list[str], home: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(  # noqa: S603 - fixed words
        command, capture_output=True, check=False, env=environment, timeout=60
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
