"""Programs run by `python -m snakepit_bridge.worker`: as by `python`, but ended with their starter."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

TIMEOUT = 30.0
LAUNCHER = ("-m", "snakepit_bridge.worker")

Process = subprocess.Popen[str]

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux lets a process adopt orphans"
)
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no process groups on this system")


class Launched:
    """A program under the launcher; nothing of it is left when the context ends."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._process: Process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        # A process that hangs fails the test, and does not hold it up.
        self._patience = threading.Timer(TIMEOUT, self._process.kill)
        self._patience.start()

    @property
    def is_patient(self) -> bool:
        """False once the test has taken too long."""
        return self._patience.is_alive()

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def rest(self) -> tuple[int, str, str]:
        """Waits for the end; returns the exit code and what was printed and not read yet."""
        out, err = (_read(stream) for stream in (self._process.stdout, self._process.stderr))
        return self._process.wait(), out, err

    def end(self) -> None:
        self._patience.cancel()
        self.close_input()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(TIMEOUT)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


def _read(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.read()


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    running: list[Launched] = []

    def start(program: str, *arguments: str, grace: float = 20.0) -> Launched:
        """Starts a program given by its text."""
        (tmp_path / "program.py").write_text(program, encoding="utf-8")
        running.append(Launched([*LAUNCHER, "--grace", str(grace), "program.py", *arguments], tmp_path))
        return running[-1]

    yield start
    for launched in running:
        launched.end()


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs Python to its end."""
    launched = Launched(arguments, folder)
    try:
        return launched.rest()
    finally:
        launched.end()


def runs(pid: int) -> bool:
    """One that has ended, and that nobody has asked about yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---- a program is run as `python` runs it

TELL = """
import sys
# Some versions of Python make __annotations__ before there are any.
names = sorted(globals().keys() - {"sys", "__annotations__"})
print(__name__, __file__, sys.argv[1:], names)
print(sys.path[0], sys.modules["__main__"].__dict__ is globals(), __package__, __spec__ and __spec__.name)
"""


def test_a_script_sees_what_it_would_see_under_python(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    script = folder / "tell.py"
    script.write_text(TELL)
    arguments = (str(script), "-m", "--grace", "x")
    plain = run(tmp_path, *arguments)
    assert run(tmp_path, *LAUNCHER, *arguments) == plain
    assert plain[0] == 0


def test_a_module_sees_what_it_would_see_under_python(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    for name in ("__init__.py", "__main__.py", "tell.py"):
        (package / name).write_text("" if name == "__init__.py" else TELL)
    for module in ("package", "package.tell"):
        plain = run(tmp_path, "-m", module, "a", "-b")
        # `python -m` of a module leaves the folder that it was started in at the head of the path; so do we.
        assert run(tmp_path, *LAUNCHER, "-m", module, "a", "-b") == plain
        assert plain[0] == 0


@posix
def test_multiprocessing_finds_the_program_again(launch: Launch) -> None:
    program = launch(
        """
import multiprocessing
def double(x):
    return 2 * x
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, pool.map(double, [1, 2]))
"""
    )
    code, out, err = program.rest()
    assert (code, out, err) == (0, "fork [2, 4]\nspawn [2, 4]\nforkserver [2, 4]\n", "")


@posix
def test_what_the_program_forks_ends_on_the_spot(launch: Launch) -> None:
    program = launch(
        """
import os, signal
def tell(name):
    print(name, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
if os.fork() == 0:
    tell("forked")
    os._exit(0)
os.wait()
tell("program")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    print("its own", signal.getsignal(signal.SIGTERM).name, flush=True)
    os._exit(0)
os.wait()
try:
    os.wait()
except ChildProcessError:
    print("no other child")
"""
    )
    assert program.rest() == (0, "forked True\nprogram False\nits own SIG_IGN\nno other child\n", "")


@posix
def test_the_input_of_the_program_is_empty(launch: Launch) -> None:
    program = launch("print(repr(input.__self__.__import__('sys').stdin.read()))")
    assert program.rest() == (0, "''\n", "")


def test_an_uncaught_exception_is_told_from_the_program_on(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("def f():\n    raise ValueError('no')\nf()\n")
    plain = run(tmp_path, "fails.py")
    assert run(tmp_path, *LAUNCHER, "fails.py") == plain
    assert plain[:2] == (1, "")


def test_an_exit_code_is_the_programs(launch: Launch) -> None:
    assert launch("raise SystemExit(7)").rest() == (7, "", "")
    assert launch("raise SystemExit('sorry')").rest() == (1, "", "sorry\n")


def test_a_program_that_does_not_compile_is_told_as_python_does(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("print('x'\n")
    code, out, err = run(tmp_path, *LAUNCHER, "wrong.py")
    assert (code, out, err.splitlines()[-1]) == (1, "", "SyntaxError: '(' was never closed")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("missing.py",), "error: the script missing.py cannot be read: No such file or directory"),
        ((".",), "error: the script . cannot be read: Is a directory"),
        (("-m", "missing_module"), "error: there is no module missing_module that can be run"),
        (("-m", "missing.module"), "error: there is no module missing.module that can be run"),
        (("-m", "email"), "error: there is no module email that can be run"),
        (("-m", "sys"), "error: the module sys has no code in Python"),
        ((), "error: the following arguments are required: PROGRAM, ARGUMENT"),
    ],
)
def test_a_program_that_is_not_there_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], text: str
) -> None:
    code, out, err = run(tmp_path, *LAUNCHER, *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(text)


# ---- and ends with its starter

WAIT = """
import signal, sys
try:
    print("ready")
    while True:
        signal.pause()
finally:
    print("cleaned up")
"""


@posix
def test_the_end_of_input_ends_the_program_which_cleans_up(launch: Launch) -> None:
    program = launch(WAIT)
    assert program.line() == "ready"
    program.close_input()
    assert program.rest() == (128 + signal.SIGTERM, "cleaned up\n", "")


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_supervisor_ends_the_program_which_cleans_up(launch: Launch, number: int) -> None:
    program = launch(WAIT)
    assert program.line() == "ready"
    program.signal(number)
    assert program.rest() == (128 + signal.SIGTERM, "cleaned up\n", "")


AT_ONCE = """
import os, signal
try:
    os.kill(os.getppid(), signal.SIGTERM)
    while True:
        signal.pause()
finally:
    print("cleaned up")
"""


@posix
def test_a_signal_that_comes_before_the_supervisor_listens_is_not_its_end(launch: Launch) -> None:
    for _ in range(10):
        assert launch(AT_ONCE).rest() == (128 + signal.SIGTERM, "cleaned up\n", "")


@posix
def test_an_asyncio_program_cleans_up_too(launch: Launch) -> None:
    program = launch(
        """
import asyncio
async def main():
    try:
        print("ready")
        await asyncio.Event().wait()
    finally:
        print("cleaned up")
asyncio.run(main())
"""
    )
    assert program.line() == "ready"
    program.close_input()
    assert program.rest() == (128 + signal.SIGTERM, "cleaned up\n", "")


@posix
def test_a_program_that_will_not_end_is_killed(launch: Launch) -> None:
    program = launch(
        """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("no"))
print("ready")
while True:
    signal.pause()
""",
        grace=0.1,
    )
    assert program.line() == "ready"
    program.close_input()
    assert program.rest() == (128 + signal.SIGKILL, "no\n", "")


@posix
def test_a_program_that_is_killed_is_told_as_a_shell_does(launch: Launch) -> None:
    program = launch("import os\nos.kill(os.getpid(), 9)")
    assert program.rest() == (128 + signal.SIGKILL, "", "")


def children(before: str, then: str) -> str:
    """A program that starts two others, prints their process ids, and then does something."""
    return f"""
import subprocess, sys, signal, os
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); signal.pause()"
def start(**options):
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, **options)
    child.stdout.readline()
    return child.pid
{before}
print(start(), start(start_new_session=True))
{then}
"""


@linux
@pytest.mark.parametrize(
    ("before", "then", "code"),
    [
        # It has the same short time as those that it has started, and may miss it.
        ("", "signal.pause()", None),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signal.pause()", 128 + signal.SIGKILL),
        ("", "os.kill(os.getpid(), 9)", 128 + signal.SIGKILL),
        ("", "sys.exit(3)", 3),
    ],
)
def test_nothing_of_what_it_started_is_left(launch: Launch, before: str, then: str, code: int | None) -> None:
    program = launch(children(before, then), grace=0.1)
    pids = [int(word) for word in program.line().split()]
    if then == "signal.pause()":
        program.close_input()
    assert program.rest()[0] == code or code is None
    assert [runs(pid) for pid in pids] == [False, False]


@linux
@pytest.mark.parametrize("then", ["signal.pause()", "os.kill(os.getpid(), 9)"])
def test_where_orphans_are_not_adopted_the_group_still_ends(tmp_path: Path, then: str) -> None:
    """As on macOS."""
    (tmp_path / "family.py").write_text(
        "import os, signal, subprocess, sys\n"
        "code = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); signal.pause()'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
        f"child.stdout.readline()\nprint(child.pid, flush=True)\n{then}"
    )
    launcher = (
        "import sys; from snakepit_bridge.worker import _launch, _supervisor; "
        "_supervisor._prctl = lambda *_: False; _launch.main(sys.argv[1:])"
    )
    program = Launched(["-c", launcher, "--grace", "0.2", "family.py"], tmp_path)
    try:
        child = int(program.line())
        program.close_input()
        assert program.rest()[0] in (128 + signal.SIGTERM, 128 + signal.SIGKILL)
        while runs(child):
            assert program.is_patient
            threading.Event().wait(0.01)
    finally:
        program.end()


@linux
def test_a_killed_supervisor_takes_the_program_along(launch: Launch) -> None:
    program = launch("import os, signal\nprint(os.getpid())\nsignal.pause()")
    pid = int(program.line())
    assert pid != program.pid
    program.signal(signal.SIGKILL)
    program.rest()
    while runs(pid):  # it fails by the patience of the test, which this would outlast otherwise
        assert program.is_patient
        threading.Event().wait(0.01)


def test_without_fork_the_end_of_input_ends_it_as_well(tmp_path: Path) -> None:
    """As on Windows, where a thread of the program's own process waits for it."""
    (tmp_path / "waits.py").write_text(
        "import threading\ntry:\n    print('ready')\n"
        "    while True: threading.Event().wait(0.01)\nfinally: print('cleaned up')"
    )
    launcher = (
        "import os, sys; del os.fork; from snakepit_bridge.worker._launch import main; main(sys.argv[1:])"
    )
    program = Launched(["-c", launcher, "--grace", "20", "waits.py"], tmp_path)
    try:
        assert program.line() == "ready"
        program.close_input()
        assert program.rest() == (128 + signal.SIGTERM, "cleaned up\n", "")
    finally:
        program.end()


def test_without_fork_a_program_that_will_not_end_is_ended(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text(
        "import signal, threading\nsignal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\n"
        "print('ready', flush=True)\nwhile True: threading.Event().wait(0.01)\n"
    )
    launcher = (
        "import os, sys; del os.fork; from snakepit_bridge.worker._launch import main; main(sys.argv[1:])"
    )
    program = Launched(["-c", launcher, "--grace", "0.1", "waits.py"], tmp_path)
    try:
        assert program.line() == "ready"
        program.close_input()
        assert program.rest() == (128 + signal.SIGTERM, "no\n", "")
    finally:
        program.end()
