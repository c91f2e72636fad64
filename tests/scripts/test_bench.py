"""The bench's orders, its counting and its tables; `scripts/bench --quick` runs all of it."""

import hmac
from dataclasses import replace
from pathlib import Path

import pytest
from bench_parts import servers
from bench_parts.__main__ import parse_options, write_markdown
from bench_parts.bodies import ACCOUNT, APP_SECRET, Requests
from bench_parts.connections import is_ok, is_whole
from bench_parts.daemon import Daemon, child_environment, merged
from bench_parts.instructions import parse_collected, slope
from bench_parts.killing import Killed, Tally
from bench_parts.orders import (
    Latency,
    Orders,
    Results,
    Round,
    Target,
    parse_orders,
    parse_results,
    render_orders,
    render_results,
)
from bench_parts.processes import BenchError
from bench_parts.report import (
    BEGIN,
    END,
    Table,
    find_faults,
    find_notes,
    load_table,
    put_between_marks,
    render_markdown,
    render_text,
    sides_of,
)
from bench_parts.servers import BARE, FASTAPI, PYWA
from bench_parts.starting import Footprint, per_thousand_mb
from bench_parts.tables import footprint_table, instructions_table, killed_table

from openparallax.app.plugins import engine_catalog, stage_catalog
from openparallax.config import load
from openparallax.model.messages import DeliveryStatus
from openparallax.webhook.body import parse_body
from openparallax.webhook.payload import parse_notification

ROUND = Round(
    target="ours",
    count=100,
    handled=110,
    bad=0,
    missing=0,
    twice=0,
    unsent=0,
    seconds=1.0,
    rate=100.0,
    cpu_us=500.0,
    others_cpu_s=0.0,
    generator_busy=0.5,
    late_ms=1.0,
    acknowledged=Latency(1.0, 2.0, 3.0),
    answered=Latency(4.0, 5.0, 123.4),
)
RESULTS = Results(
    [
        replace(ROUND, target="base", rate=200.0),
        ROUND,
        replace(ROUND, target="base", rate=100.0),
        replace(ROUND, rate=80.0),
        replace(ROUND, target="base", rate=200.0),
        replace(ROUND, rate=120.0),
    ],
    {"base": 330, "ours": 330},
)


def _body(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def test_orders_and_results_are_understood_as_they_were_meant() -> None:
    orders = Orders(True, (Target("a", 1, 2), Target("b", 3, 4)), 5, per_second=7.5, core=1)
    assert parse_orders(render_orders(orders)) == orders
    assert parse_results(render_results(RESULTS)) == RESULTS


def test_ratios_are_taken_round_by_round() -> None:
    ours = sides_of(RESULTS, "base")["ours"]
    assert (ours.rate.median, ours.rate.lowest, ours.rate.highest) == (100, 80, 120)
    assert (ours.ratio.median, ours.ratio.lowest, ours.ratio.highest) == (0.6, 0.5, 0.8)


def test_latencies_are_nearest_ranks_in_milliseconds() -> None:
    found = Latency.of([number / 1000 for number in range(1000, 0, -1)])
    assert (found.p50, found.p99, found.p999) == pytest.approx((501, 991, 1000))
    assert Latency.of([]) == Latency(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"handled": 0}, "nothing was counted"),
        ({"bad": 3}, "3 requests were not answered with 200"),
        ({"missing": 4}, "4 answers never came"),
        ({"twice": 5}, "5 answers came twice"),
        ({"unsent": 6}, "6 messages were due and found no connection"),
    ],
)
def test_what_must_not_happen_is_a_fault(change: dict[str, int], words: str) -> None:
    assert find_faults(ROUND) == []
    assert find_faults(replace(ROUND, **change)) == [f"ours: {words}"]  # type: ignore[arg-type]


def test_a_slow_round_is_no_fault() -> None:
    assert find_faults(replace(ROUND, count=0, rate=0.0)) == []


def test_the_generator_says_when_it_was_the_limit() -> None:
    assert find_notes(ROUND) == []
    (note,) = find_notes(replace(ROUND, generator_busy=0.93))
    assert "busy for 93%" in note
    (note,) = find_notes(replace(ROUND, others_cpu_s=0.2))
    assert "the other servers used 0.2 s" in note
    (note,) = find_notes(replace(ROUND, late_ms=30.0))
    assert "up to 30 ms late" in note


def test_a_table_says_the_same_on_a_terminal_and_on_a_page() -> None:
    table = load_table("Round trips", "How.", RESULTS, "base", trips=True)
    ours = ("ours", "100 (80 … 120)", "0.60 (0.50 … 0.80)")
    assert table.rows[1][:3] == ours
    assert table.rows[1][3:] == ("4.0 / 5.0 / 123", "1.0 / 2.0 / 3.0", "500")
    assert f"| {' | '.join(ours)} |" in render_markdown(table)
    lines = render_text(table).splitlines()
    assert len({len(line) for line in lines[2:]}) == 1


def test_notes_of_a_table_stand_under_it_once_a_server() -> None:
    busy = [replace(one, generator_busy=0.9) for one in RESULTS.rounds]
    table = load_table("t", "a", Results(busy, {}), "base", trips=False)
    assert len(table.notes) == 2
    assert render_markdown(table).count("Note: ") == 2


def test_only_the_place_between_the_marks_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    write_markdown(page, ["some words", render_markdown(Table("T", "about", ("a",), (("b",),)))])
    text = page.read_text()
    assert text.startswith(f"# Before\n\n{BEGIN}\n\nsome words\n\n### T\n")
    assert text.endswith(f"| b |\n\n{END}\n\nAfter.\n")
    assert "old" not in text
    write_markdown(page, ["other words"])
    assert page.read_text() == f"# Before\n\n{BEGIN}\n\nother words\n\n{END}\n\nAfter.\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_one_such_place_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="no one place"):
        put_between_marks(text, "figures")


def test_the_shipped_page_has_its_place() -> None:
    page = Path(__file__).parents[2] / "BENCHMARKS.md"
    assert put_between_marks(page.read_text("utf-8"), "x").count("\nx\n") == 1


def test_lost_is_acknowledged_and_never_answered() -> None:
    tally = Tally(acknowledged={1, 2, 3})
    for number in (1, 3, 3, 4):
        tally.answered(number)
    assert (tally.lost, tally.repeated, tally.excused) == (1, 1, 0)


def test_who_was_told_so_is_not_lost_and_a_stranger_excuses_nobody() -> None:
    tally = Tally(acknowledged={1, 2, 3}, people={b"49151": 1, b"49152": 2})
    tally.answered(1)
    for told in (b"49151", b"49152", b"49159"):
        tally.noticed(told)
    assert (tally.lost, tally.excused) == (1, 1)


def test_tables_of_processes() -> None:
    killed = killed_table({"a": Killed(400, 4, 400, 62, 1, 2)})
    assert killed.rows == (("a", "400", "4", "400", "62", "2", "1"),)
    footprint = Footprint([0.5, 0.4, 0.6], [40.0, 41.0, 42.0], [50.0, 52.0, 53.0, 54.0])
    table = footprint_table({"a": footprint}, 500, {"a": 60.0})
    assert table.rows == (("a", "0.50 (0.40 … 0.60)", "41.0", "60.0", "2.00"),)
    assert footprint_table({"a": footprint}, 500, {}).rows[0][3] == ""
    assert instructions_table({"a": [2_340_000.0, 0.0]}).rows == (("a", "2.34", ""),)
    assert per_thousand_mb([50.0], 500) is None


def test_instructions_are_those_of_the_second_half() -> None:
    assert slope(1_000_000, 1_600_000, 300) == 2000
    assert parse_collected("==1== Collected : 12\n==2== Collected : 3456\n") == 3456
    with pytest.raises(BenchError):
        parse_collected("no such line")


def test_requests_are_signed_and_are_what_the_daemon_takes() -> None:
    requests = Requests(closing=True)
    ((number, request),) = requests.build([4915])
    body = _body(request)
    signature = hmac.new(APP_SECRET.encode(), body, "sha256").hexdigest().encode()
    assert b"X-Hub-Signature-256: sha256=%b\r\n" % signature in request
    assert b"Connection: close\r\n" in request
    found = parse_notification(parse_body(body), accounts=frozenset({ACCOUNT}))
    assert [len(found.messages), found.unsupported] == [1, {}]
    assert f"#{number}#" in body.decode()
    assert b"Connection" not in next(Requests().build([1]))[1]


@pytest.mark.parametrize("token", [b"", b"abc"])
def test_statuses_are_what_the_daemon_takes(token: bytes) -> None:
    bodies = [_body(one) for one in Requests().statuses(b"wamid.X", b"4915", token)]
    found = [
        status
        for body in bodies
        for status in parse_notification(parse_body(body), accounts=frozenset({ACCOUNT})).statuses
    ]
    wanted = [DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ]
    assert [one.status for one in found] == wanted
    assert {b"biz_opaque" in body for body in bodies} == {bool(token)}


def test_a_response_is_whole_with_its_last_byte() -> None:
    response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"
    assert not any(is_whole(response[:end]) for end in range(len(response)))
    assert is_whole(response)
    assert is_ok(response)
    assert not is_ok(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert is_whole(b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize(("as_shipped", "presence"), [(True, "typing"), (False, "none")])
def test_the_daemon_is_measured_without_what_would_hold_it_back(
    tmp_path: Path, presence: str, *, as_shipped: bool
) -> None:
    daemon = Daemon.prepare("ours", tmp_path, {"type": "echo"}, 1, as_shipped=as_shipped)
    found = load(
        daemon.config,
        environment=child_environment(),
        engines=engine_catalog(),
        stages=stage_catalog(),
    )
    whatsapp = found.whatsapp
    assert (whatsapp.presence, whatsapp.rate_limit) == (presence, None)
    assert (found.outbox.messages_per_second, found.outbox.pair_burst) == (None, None)
    assert list(whatsapp.allowed_numbers) == []
    assert [stage.name for stage in found.pipeline] == ["time_limit"]


def test_sections_are_merged_and_all_else_is_replaced() -> None:
    below = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert merged(below, {"a": {"c": [2]}, "e": {}}) == {"a": {"b": 1, "c": [2]}, "d": 2, "e": {}}


def test_a_row_whose_packages_are_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "NEEDS", {PYWA: ("no_such_module", "json"), FASTAPI: ("json",)})
    assert servers.missing(PYWA) == ["no_such_module"]
    assert servers.installed([BARE, FASTAPI, PYWA]) == [BARE, FASTAPI]


def test_options() -> None:
    assert parse_options(["--markdown"]).markdown.name == "BENCHMARKS.md"
    quick = parse_options(["--quick", "--only", "kill,acks"])
    assert (quick.rounds, quick.only, quick.markdown) == (1, ["kill", "acks"], None)
    with pytest.raises(SystemExit):
        parse_options(["--only", "million"])
