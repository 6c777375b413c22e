"""How programs start processes, and that contexts work in all of them: each cell is a program of its own.

In each a write of TypeScript's is seen by the child, and the child's write by TypeScript; it ends with exit
code 0, prints nothing to stderr, and leaves no process behind.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from processes import BridgeProcess, answering_host

TESTS = Path(__file__).resolve().parents[1]
PATIENCE = 60.0

Start: TypeAlias = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
shells = pytest.mark.parametrize("shell", ["blocking", "asyncio"])


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """A bridge whose sessions TypeScript answers in."""
    with answering_host(tmp_path_factory.mktemp("host")) as process:
        yield process


@pytest.fixture
def start(host: BridgeProcess, tmp_path: Path) -> Iterator[Start]:
    """Starts a program in a process group of its own; at the end nothing is left of the group."""
    groups: list[int] = []

    def started(program: str, shell: str = "blocking", *before: str) -> subprocess.Popen[str]:
        session = f"processes {uuid.uuid4()}"
        host.tell(session)
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(program))
        arguments = [*(before or (str(path),)), shell, host.address, session]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS), str(tmp_path)))}
        environment.pop("GRPC_ENABLE_FORK_SUPPORT", None)
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        groups.append(process.pid)
        return process

    yield started
    for group in groups:
        assert is_over(group), "a process was left behind"


def is_over(group: int) -> bool:
    """Waits until no process of a group is left, and ends those that stay."""
    for _ in range(1_000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        # No event tells of it.
        threading.Event().wait(0.01)
    os.killpg(group, signal.SIGKILL)
    return False


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Waits for the end of a program. If it does not come to one, its threads say where they are."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)
        stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


# ---- os.fork


@shells
def test_a_forked_process_works_and_its_parent_goes_on(start: Start, shell: str) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os, sys
        from talking import *
        session = blocking()
        talk(session, "parent")
        for name in ("one", "two", "three"):
            child = os.fork()
            if child == 0:
                talk_in_child(session, name)
                # One ends through the whole interpreter, the others on the spot.
                sys.exit(0) if name == "two" else os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            talk(session, f"parent beside {name}")
        print(*sorted(session.snapshot().values), sep="\\n")
        session.close()
    """
    names = ["one", "parent", "parent beside one", "parent beside three", "parent beside two", "three", "two"]
    expected = [f"{what} {name}" for what in ("answer", "ask") for name in names] + ["told"]
    assert end(start(program, shell)) == (0, "\n".join(expected) + "\n", "")


@shells
def test_a_process_that_was_forked_before_there_was_a_context(start: Start, shell: str) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os
        from talking import *
        child = os.fork()
        if child == 0:
            talk_in_child(blocking(), "child")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("done")
    """
    assert end(start(program, shell)) == (0, "done\n", "")


def test_amid_a_fork_the_bridge_is_asked_and_not_the_copy(start: Start) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os
        from talking import *
        session = blocking()
        session["x"] = 1.0
        session.ready()
        assert session.read("x").source == "replica"
        os.register_at_fork(before=lambda: None, after_in_parent=lambda: read_at_once())
        found = []
        def read_at_once():
            try:
                session.peek("x")
            except snakepit_bridge.NotReadyError as error:
                found.append(str(error).rpartition(": ")[2])
            reading = session.read("x")
            found.append((reading.value, reading.source, reading.stale))
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        session.ready()
        print(*found, session.peek("x"))
        session.close()
    """
    expected = "the process was forked a moment ago (1.0, 'server', False) 1.0\n"
    assert end(start(program)) == (0, expected, "")


def test_watches_and_callbacks_go_on_on_both_sides(start: Start) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os, queue
        from talking import *
        session = blocking()
        session.set_variables({"x": 0.0, "y": 0.0})
        session.ready()
        told = queue.SimpleQueue()
        watch, listener = session.watch(["x"]), session.on_change(lambda event: told.put(event), ["x"])
        watch.ready()
        session["x"] = 1.0
        def next_of_both():
            return watch.next(PATIENCE).changes[0].value, told.get(timeout=PATIENCE).changes[0].value
        assert next_of_both() == (1.0, 1.0)
        ready, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(ready, 1)
            # Neither was read or called here yet: what was set since the fork is told.
            assert session["y"] == 1.0
            assert next_of_both() == (2.0, 2.0)
            session["x"] = 3.0
            assert next_of_both() == (3.0, 3.0)
            session.close()
            os._exit(0)
        session["x"] = 2.0
        session["y"] = 1.0
        os.write(write, b".")
        assert next_of_both() == (2.0, 2.0) and next_of_both() == (3.0, 3.0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        session.close()
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


def test_callbacks_go_on_in_a_child_though_another_was_under_way(start: Start) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os, queue, threading
        from talking import *
        session = blocking()
        session.set_variables({"x": 0.0, "slow": 0.0})
        session.ready()
        begun, go, told = threading.Event(), threading.Event(), queue.SimpleQueue()
        def wait(event):
            begun.set()
            assert go.wait(PATIENCE)
        slow = session.on_change(wait, ["slow"])
        listener = session.on_change(lambda event: told.put(event.changes[0].value), ["x"])
        # A callback that comes shows that both of them are heard.
        session["x"] = 1.0
        assert told.get(timeout=PATIENCE) == 1.0
        session["slow"] = 1.0
        assert begun.wait(PATIENCE)
        session["x"] = 2.0
        child = os.fork()
        if child == 0:
            assert told.empty()
            # What the parent was told and had not read is told once this is used.
            session["x"] = 3.0
            assert [told.get(timeout=PATIENCE) for _ in range(2)] == [2.0, 3.0]
            session.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        go.set()
        assert [told.get(timeout=PATIENCE) for _ in range(2)] == [2.0, 3.0]
        session.close()
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


def test_a_child_logs_nothing_of_its_parents(start: Start) -> None:
    program = """
        import logging, os, threading
        from talking import *
        begun, go, lines = threading.Event(), threading.Event(), []
        parent = os.getpid()
        class Slow(logging.Handler):
            def emit(self, record):
                lines.append(record.msg.split()[0])
                if os.getpid() == parent:
                    begun.set()
                    assert go.wait(PATIENCE)
        logging.basicConfig(level=logging.INFO, handlers=[Slow()])
        session = blocking()
        session["x"] = 1.0
        session.ready()
        # The first line is being written, and the second waits.
        assert begun.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            lines.clear()
            session.ready()
            session.close()
            while len(lines) < 2:
                threading.Event().wait(0.001)
            print(*lines, flush=True)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        go.set()
        session.close()
        while len(lines) < 2:
            threading.Event().wait(0.001)
        print(*lines[:2])
    """
    assert end(start(program)) == (0, "connected the\nconnected the\n", "")


def test_what_the_parent_is_owed_is_the_parents_alone(start: Start) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os, threading
        from talking import *
        session = blocking()
        session["calls"] = 0
        over = threading.Event()
        made = 0
        def call():
            global made
            while not over.is_set():
                session.increment("calls")
                made += 1
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(5):
            child = os.fork()
            if child == 0:
                # A request id of its own: the bridge takes none of these for one of its parent's.
                for _ in range(10):
                    session.increment("calls")
                session.close()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        over.set()
        for thread in threads:
            thread.join()
        assert session.get_variable("calls", bypass_cache=True) == made + 50
        talk(session, "parent")
        session.close()
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


def test_a_fork_amid_all_kinds_of_waiting(start: Start) -> None:
    program = """
        import os, threading
        from talking import *
        session, elsewhere = blocking(), blocking()
        session["x"] = 0.0
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(session.wait_for("x", lambda value: value == 1.0))),
            threading.Thread(target=lambda: found.append(session.watch(["x"]).next().changes[0].value)),
        ]
        for thread in threads:
            thread.start()
        # A lock that is held by a thread that the child has not.
        busy, over = threading.Event(), threading.Event()
        def be_busy():
            with session._lock, elsewhere._lock:
                busy.set()
                over.wait()
        while len(session._transport._link._link.subscriptions) < 2:
            pass
        threading.Thread(target=be_busy).start()
        busy.wait()
        child = os.fork()
        if child == 0:
            talk(session, "child")
            talk(elsewhere, "child elsewhere")
            os._exit(0)
        over.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        session["x"] = 1.0
        for thread in threads:
            thread.join()
        print(found)
        session.close()
    """
    assert end(start(program)) == (0, "[1.0, 1.0]\n", "")


def test_what_belongs_to_the_parent_is_refused_in_a_child(start: Start) -> None:
    """[ORD-20 refuses]"""
    program = """
        import os, sys
        import grpc
        from talking import *
        with grpc.insecure_channel(ADDRESS) as channel:
            session = sync.SessionContext(SESSION, channel)
            session["x"] = 1.0
            child = os.fork()
            if child == 0:
                try:
                    session["x"]
                except RuntimeError as error:
                    print(error)
                session.close()
                sys.stdout.flush()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            talk(session, "parent")
            session.close()
    """
    text = (
        "the channel given to this context belongs to the process that this one was forked from: make the "
        "channel and the context after the fork, or give address= instead of a channel\n"
    )
    assert end(start(program)) == (0, text, "")


def test_where_asyncio_is_in_use_a_child_refuses(start: Start) -> None:
    """[ORD-20 refuses]"""
    program = """
        import os, sys
        # What newer gRPCs do at a fork amid asyncio crashes one child in eight, whatever it does.
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
        from talking import *
        async def main():
            async with snakepit_bridge.SessionContext(SESSION, address=ADDRESS) as session:
                await converse(session, "parent")
                child = os.fork()
                if child == 0:
                    refused = set()
                    for context in (blocking(), sync.SessionContext(SESSION, address=ADDRESS)):
                        try:
                            context["x"]
                        except RuntimeError as error:
                            refused.add(str(error))
                    try:
                        await session.get_variable("x", bypass_cache=True)
                    except RuntimeError as error:
                        refused.add(str(error))
                    print(*refused, sep="\\n")
                    sys.stdout.flush()
                    os._exit(0)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                await converse(session, "parent again")
        asyncio.run(main())
    """
    text = (
        "this process was forked while gRPC's asyncio was in use, and gRPC cannot be used in it: close the "
        "asyncio contexts and channels before the fork, or start processes with spawn or forkserver\n"
    )
    assert end(start(program)) == (0, text, "")


@shells
@pytest.mark.parametrize("close", ["await session.close()", "pass"])
def test_where_asyncio_was_in_use_a_child_works(start: Start, shell: str, close: str) -> None:
    """[ORD-20 accepts]"""
    program = f"""
        import os
        from talking import *
        async def main():
            session = snakepit_bridge.SessionContext(SESSION, address=ADDRESS)
            await converse(session, "parent")
            {close}
            return session
        used = asyncio.run(main())
        child = os.fork()
        if child == 0:
            talk_in_child(blocking(), "child")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        asyncio.run(talk_asyncio("parent again"))
        print("done")
    """
    assert end(start(program, shell)) == (0, "done\n", "")


def test_a_loop_that_was_closed_amid_waiting_keeps_no_other_context_from_a_fork(start: Start) -> None:
    """[ORD-20 accepts]"""
    program = """
        import logging, os
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # as above
        # It tells of the tasks that nobody has ended.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        from talking import *
        session = blocking()
        talk(session, "parent")
        async def listen():
            context = snakepit_bridge.SessionContext(SESSION, address=ADDRESS)
            await converse(context, "loop")
            context.on_change(print, ["never"])
            link = context._transport.home().link._link
            while not any(each._bells for each in link.subscriptions):
                await asyncio.sleep(0)
            return context
        loop = asyncio.new_event_loop()
        context = loop.run_until_complete(listen())
        loop.close()
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        talk(session, "parent again")
        session.close()
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


def test_where_forks_are_switched_off_a_child_refuses(start: Start) -> None:
    """[ORD-20 refuses]"""
    program = """
        import os, sys
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
        from talking import *
        session = blocking()
        session["x"] = 1.0
        child = os.fork()
        if child == 0:
            try:
                session["x"]
            except RuntimeError as error:
                print(error)
            sys.stdout.flush()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        session.close()
    """
    text = (
        "this process was forked from one that uses gRPC with GRPC_ENABLE_FORK_SUPPORT=false, and gRPC "
        "cannot be used in it: do not set that variable, or start processes with spawn or forkserver\n"
    )
    assert end(start(program)) == (0, text, "")


# ---- pools and servers


@shells
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(start: Start, method: str, shell: str) -> None:
    program = f"""
        import multiprocessing
        from talking import *
        if __name__ == "__main__":
            session = blocking()
            talk(session, "parent")
            context = multiprocessing.get_context({method!r})
            children = [context.Process(target=talk_in_child, args=(session, name)) for name in ("a", "b")]
            for child in children:
                child.start()
            for child in children:
                child.join()
            assert [child.exitcode for child in children] == [0, 0]
            talk(session, "parent again")
            session.close()
            print("done")
    """
    assert end(start(program, shell)) == (0, "done\n", "")


@shells
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_process_pool_executor(start: Start, method: str, shell: str) -> None:
    program = f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from talking import *
        if __name__ == "__main__":
            session = blocking()
            talk(session, "parent")
            with ProcessPoolExecutor(2, multiprocessing.get_context({method!r})) as pool:
                ended(pool.map(talk_in_child, [session] * 4, ["a", "b", "c", "d"]))
            talk(session, "parent again")
            session.close()
    """
    assert end(start(program, shell)) == (0, "talked: a b c d\n", "")


@shells
def test_a_master_forks_another_worker_where_one_has_died(start: Start, shell: str) -> None:
    program = """
        import os, signal
        from talking import *
        session = blocking()
        talk(session, "master")
        def worker(name, dies):
            child = os.fork()
            if child == 0:
                if dies:
                    session["amid"] = name
                    signal.pause()
                talk_in_child(session, name)
                os._exit(0)
            return child
        workers = {worker("a", True): "a", worker("b", False): "b"}
        session.wait_for("amid", lambda name: name == "a")
        os.kill(next(iter(workers)), signal.SIGKILL)
        while workers:
            child, status = os.wait()
            name = workers.pop(child)
            if os.waitstatus_to_exitcode(status) != 0:
                workers[worker(f"{name} again", False)] = f"{name} again"
        ended(name.removeprefix("ask ") for name in session.list_variables() if name.startswith("ask "))
        talk(session, "master again")
        session.close()
    """
    assert end(start(program, shell)) == (0, "talked: a again b master\n", "")


@shells
def test_celery_forks_workers_and_others_when_they_have_done_their_part(start: Start, shell: str) -> None:
    # Its pool is billiard's, which forks from a thread of the master.
    program = """
        import os
        import billiard
        from talking import *
        session = None
        def work(name):
            if SHELL == "asyncio":
                asyncio.run(talk_asyncio(name))
            else:
                talk(session, name)
            return name, os.getpid()
        if __name__ == "__main__":
            session = blocking()
            talk(session, "master")
            pool = billiard.get_context("fork").Pool(2, maxtasksperchild=2)
            done = pool.map(work, ["a", "b", "c", "d", "e", "f"], chunksize=1)
            assert len({process for _, process in done}) >= 3
            ended(name for name, _ in done)
            talk(session, "master again")
            pool.close()
            pool.join()
            session.close()
    """
    assert end(start(program, shell)) == (0, "talked: a b c d e f\n", "")


@shells
def test_gunicorn_with_preload(start: Start, tmp_path: Path, shell: str) -> None:
    program = """
        import os
        from talking import *
        session = blocking()
        talk(session, "master")
        def app(environ, respond):
            name = environ["PATH_INFO"].strip("/")
            if SHELL == "asyncio":
                asyncio.run(talk_asyncio(name))
            else:
                talk(session, name)
            respond("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
    """
    settings = tmp_path / "settings.py"
    settings.write_text(
        f"bind = 'unix:{tmp_path / 'socket'}'\npreload_app = True\nworkers = 2\nloglevel = 'error'\n"
        "def when_ready(server): print('ready', flush=True)\n"
    )
    process = start(program, shell, "-c", GUNICORN, str(settings))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    workers = {ask(tmp_path / "socket", f"/{number}") for number in range(6)}
    assert len(workers) in (1, 2)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (0, "", "")


GUNICORN = """
import sys
settings = sys.argv.pop(1)
import gunicorn.app.base, importlib, runpy
class Application(gunicorn.app.base.BaseApplication):
    def load_config(self):
        for key, value in runpy.run_path(settings).items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)
    def load(self):
        return importlib.import_module("program").app
Application().run()
"""


def ask(path: Path, what: str) -> str:
    """Asks a server on a socket of the file system."""
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", what)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    assert response.status == 200
    return answer


# ---- threads and loops


def test_many_threads_share_a_context(start: Start) -> None:
    program = """
        from concurrent.futures import ThreadPoolExecutor
        from talking import *
        with blocking() as session, ThreadPoolExecutor(16) as pool:
            ended(pool.map(lambda name: talk(session, name) or name, "abcdefghijklmnop"))
    """
    assert end(start(program)) == (0, f"talked: {' '.join('abcdefghijklmnop')}\n", "")


def test_one_context_in_two_loops_in_turn(start: Start) -> None:
    program = """
        from talking import *
        session = snakepit_bridge.SessionContext(SESSION, address=ADDRESS)
        async def main(name):
            await converse(session, name)
        asyncio.run(main("first"))
        asyncio.run(main("second"))
        asyncio.run(session.close())
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


def test_cells_of_a_notebook(start: Start) -> None:
    # ipykernel runs each cell as a coroutine in the one loop of its main thread.
    program = """
        import ast
        from talking import *
        CELLS = (
            "session = blocking(); talk(session, 'cell')",
            "assert session['answer cell'] == 2.0",
            "notebook = snakepit_bridge.SessionContext(SESSION, address=ADDRESS)",
            "await converse(notebook, 'awaited')",
            "watch = notebook.watch(['x']); await watch.ready()",
            "session['x'] = 1.0",
            "assert (await watch.next()).changes[0].value == 1.0",
            "assert await notebook.get_variable('answer awaited') == 2.0",
            "session.close(); await notebook.close()",
        )
        async def kernel():
            names = globals()
            for cell in CELLS:
                code = compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                result = eval(code, names)
                if asyncio.iscoroutine(result):
                    await result
        asyncio.run(kernel())
        print("done")
    """
    assert end(start(program)) == (0, "done\n", "")


@pytest.mark.parametrize("shell", ["blocking", "asyncio"])
def test_gevent_is_refused(start: Start, shell: str) -> None:
    pytest.importorskip("gevent", reason="gevent is not installed")
    program = """
        import gevent.monkey
        gevent.monkey.patch_all()
        from talking import *
        try:
            if SHELL == "asyncio":
                asyncio.run(talk_asyncio("gevent"))
            else:
                blocking()["x"] = 1.0
        except RuntimeError as error:
            print(error)
    """
    text = (
        "gevent has replaced Python's threading in this program, and gRPC works with real threads and "
        "sockets only: use a context in a process without gevent's monkey-patching\n"
    )
    assert end(start(program, shell)) == (0, text, "")
