"""The blocking client as a program without asyncio uses it: in threads, like a dict, in a notebook."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from snakepit_bridge import (
    BridgeError,
    ClosedError,
    ConstraintError,
    SessionNotFoundError,
    VariableNotFoundError,
)
from snakepit_bridge.sync import SessionContext


@pytest.fixture
def session(bridge: str, request: pytest.FixtureRequest) -> Iterator[SessionContext]:
    with SessionContext(f"e2e blocking {request.node.name}", address=bridge, ttl=60.0) as session:
        session.create_session()
        yield session


def in_threads(count: int, work: Callable[[int], Any]) -> list[BaseException]:
    """Runs something in many threads at once; returns what they raised."""
    errors: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - reported
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


# ---- threads


def test_many_threads_use_one_context(session: SessionContext) -> None:
    session.register_variable("sum", "integer", 0)

    def work(number: int) -> None:
        for turn in range(25):
            session.increment("sum")
            session.set_variable(f"of {number}", turn)
            assert session.get_variable(f"of {number}") == turn
            pair = session.set_variables({f"a {number}": turn, f"b {number}": -turn})
            assert set(pair.versions.values()) == {turn + 1}
            assert session.get_variables([f"a {number}", f"b {number}"]) == {
                f"a {number}": turn,
                f"b {number}": -turn,
            }
            session.invalidate_cache(f"of {number}")
            assert 0.0 <= session.get_cache_stats()["hit_rate"] <= 1.0

    assert in_threads(12, work) == []
    assert session.get_variable("sum", bypass_cache=True) == 300


def test_own_writes_are_seen_by_every_thread(session: SessionContext) -> None:
    """What a thread was answered before another one's write never comes back after it."""
    session["n"] = 0
    written = 0

    def work(number: int) -> None:
        nonlocal written
        for _ in range(60):
            if number == 0:
                written = session.increment("n")
            elif number == 1:
                session.invalidate_cache("n")
            else:
                before = written
                assert session["n"] >= before

    assert in_threads(6, work) == []


def test_closing_in_one_thread_ends_the_calls_of_the_others(session: SessionContext) -> None:
    def work(number: int) -> None:
        if number == 0:
            session.close()
        while True:
            session.get_variable("x", default=0, bypass_cache=True)

    assert {type(error) for error in in_threads(6, work)} == {ClosedError}


def test_the_main_thread_leaves_its_calls_to_another(session: SessionContext) -> None:
    """An interrupt in the middle of gRPC's own code would leave a lock of the channel taken for ever."""
    callers: set[int] = set()

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            callers.add(threading.get_ident())
            return function(*arguments)

        return call

    with SessionContext(session.session_id, address=session._options.address) as other:
        streams: Any = other._transport._link
        streams._connect = noted(streams._connect)
        streams._begin = noted(streams._begin)
        streams._link.submit = noted(streams._link.submit)
        other["x"] = 1
        other.heartbeat()
    assert callers
    assert threading.get_ident() not in callers


def test_a_context_that_nobody_holds_leaves_no_thread_behind(bridge: str) -> None:
    before = set(threading.enumerate())
    session = SessionContext("e2e blocking dropped", address=bridge)
    session["x"] = 1
    ours = [each for each in set(threading.enumerate()) - before if "snakepit" in each.name]
    assert len(ours) >= 3
    del session
    gc.collect()
    for each in ours:
        each.join(30.0)
        assert not each.is_alive()


# ---- under a running loop


@pytest.mark.asyncio
async def test_it_works_where_a_loop_is_running(bridge: str) -> None:
    with SessionContext("e2e blocking under a loop", address=bridge) as session:
        session["x"] = 1
        assert session.increment("x") == 2
        assert session.update_variable("x", lambda x: x * 2).value == 4
        assert session.wait_for("x") == 4


# ---- like a dict


def test_it_reads_and_writes_like_a_dict(session: SessionContext) -> None:
    session["x"] = 1
    assert session["x"] == 1
    assert "x" in session
    assert "y" not in session
    assert 5 not in session
    session["none of the others"] = "text"
    assert list(session) == ["none of the others", "x"]
    del session["x"]
    assert "x" not in session
    with pytest.raises(KeyError) as caught:
        session["x"]
    assert type(caught.value) is VariableNotFoundError
    assert str(caught.value) == "Variable not found: x"
    with pytest.raises(KeyError):
        del session["x"]


def test_its_errors_are_those_of_the_methods(session: SessionContext, bridge: str) -> None:
    session.register_variable("n", "integer", 1, constraints={"max": 2})
    with pytest.raises(ConstraintError, match="value 3 is above maximum 2"):
        session["n"] = 3
    assert session["n"] == 1
    with SessionContext("e2e blocking absent", address=bridge, strict=True) as absent:
        assert "x" not in absent
        for call in (lambda: absent["x"], lambda: absent.__setitem__("x", 1), lambda: list(absent)):
            with pytest.raises(SessionNotFoundError):
                call()


def test_a_read_that_the_replica_answers_costs_no_call(session: SessionContext) -> None:
    session["x"] = 1
    session.ready()
    assert session["x"] == 1
    assert "x" in session
    assert session.get_cache_stats()["fetches"] == 0


def test_whether_it_is_true_asks_nobody() -> None:
    with SessionContext("s", address="127.0.0.1:1") as session:
        assert session
        assert not hasattr(session, "__len__")


# ---- in a notebook


class Cells(HTMLParser):
    """What stands in each cell of a table, and in what else there is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1][-1] += data
        else:
            self.texts.append(data)


def test_a_notebook_shows_a_table(session: SessionContext) -> None:
    session["loss"] = 0.5
    session["loss"] = 0.25
    session["<b>&"] = "<script>alert('1')</script>"
    session["long"] = "x" * 1_000
    cells = Cells(session._repr_html_())
    assert cells.rows[0] == ["name", "type", "value", "version", "source"]
    assert cells.rows[1] == ["<b>&", "string", "\"<script>alert('1')</script>\"", "1", "python"]
    assert cells.rows[3] == ["loss", "float", "0.25", "2", "python"]
    assert cells.rows[2][2] == "'" + "x" * 118 + "…"
    assert cells.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert "3 variables" in cells.texts[0]


def test_a_notebook_shows_so_many_rows_and_says_of_how_many(session: SessionContext) -> None:
    session.set_variables({f"n{number:03}": number for number in range(250)})
    cells = Cells(session._repr_html_())
    assert len(cells.rows) == 201
    assert "the first 200 of 250 variables" in cells.texts[0]


def test_a_notebook_is_told_why_there_is_no_table(session: SessionContext) -> None:
    session.delete_session()
    assert "Session not found" in Cells(session._repr_html_()).texts[0]
    session.close()
    assert "is closed" in Cells(session._repr_html_()).texts[0]
    nobody = SessionContext("<i>", address="127.0.0.1:1")
    shown = nobody._repr_html_()
    assert "no bridge answers at 127.0.0.1:1" in Cells(shown).texts[0]
    assert "<i>" not in shown
    nobody.close()


def test_the_repr_asks_nobody() -> None:
    with SessionContext("s", address="127.0.0.1:1", token="s3cret") as session:
        text = "sync.SessionContext('s', address='127.0.0.1:1', token='***', cache='live', max_stale=30)"
        assert repr(session) == str(session) == text
        assert session._transport._channel is None


def test_nothing_is_done_before_the_first_call() -> None:
    context = SessionContext("s", address="no such host.invalid:1")
    assert context._transport._channel is None
    context.close()
    with pytest.raises(BridgeError):
        context.heartbeat()
