"""Runs a Python program as `python` would, but so that it ends when whoever started it does.

The program's standard input is empty: the real one is the line to the starter, and its end is the order to
stop.
"""

from __future__ import annotations

import argparse
import builtins
import importlib.util
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from ._host import HOST

__all__ = ["main"]

PIPE_VARIABLE = "SNAKEPIT_BRIDGE_WORKER_PIPE"
"""The number of the file descriptor that leads to the host; unset where there is none."""

_NO_PROGRAM = 2


@dataclass(frozen=True)
class Program:
    """A program that was found and compiled.

    Attributes:
        path: What it sees as `sys.argv[0]`.
        code: Its code.
        names: What its module has before it begins.
        folder: Where its imports are looked for first; None: where this process looks.
    """

    path: str
    code: CodeType
    names: dict[str, Any]
    folder: str | None


class ProgramError(Exception):
    """There is no such program, in one sentence."""


def main(arguments: Sequence[str]) -> None:
    """Runs the program that the command line names, and returns when it does.

    On POSIX systems the calling process stays behind as a supervisor and never returns from here; the program
    runs in a process that it forks.
    """
    options = _parser().parse_args(arguments)
    pipe = os.environ.pop(PIPE_VARIABLE, None)
    if hasattr(os, "fork"):
        from ._supervisor import fork_supervised

        fork_supervised(options.grace)
    else:
        from ._stdin import end_with_stdin

        end_with_stdin(options.grace)
    signal.signal(signal.SIGTERM, _on_terminate)
    if hasattr(os, "register_at_fork"):
        # Those that the program forks end on the spot, as multiprocessing expects of them.
        os.register_at_fork(after_in_child=_forget_on_terminate)
    if pipe is not None:
        HOST.connect(int(pipe))
    try:
        program = _find_module(options.program) if options.module else _find_script(options.program)
    except ProgramError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(_NO_PROGRAM)
    except SyntaxError:
        traceback.print_exc(limit=0)
        sys.exit(1)
    _run(program, options.arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m snakepit_bridge.worker",
        description="Runs a Python program that ends, with all that it has started, when standard input "
        "does: first by SIGTERM, and after a grace time by SIGKILL.",
    )
    parser.add_argument(
        "-m", dest="module", action="store_true", help="PROGRAM is a module, as for `python -m`"
    )
    parser.add_argument(
        "--grace", type=float, default=2.0, metavar="SECONDS", help="the grace time (default: %(default)g)"
    )
    parser.add_argument("program", metavar="PROGRAM", help="the path of a script")
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="given to the program"
    )
    return parser


def _on_terminate(number: int, _frame: FrameType | None) -> None:
    # Python would end on the spot; so `finally` and `atexit` have their turn.
    raise SystemExit(128 + number)


def _forget_on_terminate() -> None:
    if signal.getsignal(signal.SIGTERM) is _on_terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _find_script(path: str) -> Program:
    absolute = str(Path(path).absolute())
    try:
        with io.open_code(absolute) as file:
            source = file.read()
    except OSError as error:
        raise ProgramError(f"the script {path} cannot be read: {error.strerror}") from None
    code = compile(source, absolute, "exec", dont_inherit=True)
    loader = SourceFileLoader("__main__", absolute)
    return Program(path, code, _names(absolute, loader, None), str(Path(absolute).resolve().parent))


def _find_module(name: str) -> Program:
    spec = _find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _find_spec(f"{name}.__main__")
    loader: Any = None if spec is None else spec.loader
    if spec is None or not hasattr(loader, "get_code"):
        raise ProgramError(f"there is no module {name} that can be run")
    code = loader.get_code(spec.name)
    if code is None:
        raise ProgramError(f"the module {name} has no code in Python")
    path = spec.origin or name
    return Program(path, code, _names(path, loader, spec), None)


def _find_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # A package on the way to it; anything else is missed by a package's own code.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise
    except ValueError as error:
        raise ProgramError(f"{name!r} is no name of a module: {error}") from None


def _names(path: str, loader: Any, spec: ModuleSpec | None) -> dict[str, Any]:
    return {
        "__name__": "__main__",
        "__doc__": None,
        "__package__": None if spec is None else spec.parent,
        "__loader__": loader,
        "__spec__": spec,
        "__file__": path,
        "__cached__": None if spec is None else spec.cached,
        "__builtins__": builtins,
    }


def _run(program: Program, arguments: Sequence[str]) -> None:
    """Runs it in the real `__main__` module, which multiprocessing and pickle look for."""
    sys.argv[:] = [program.path, *arguments]
    if program.folder is not None and not getattr(sys.flags, "safe_path", False):
        sys.path[0] = program.folder
    scope = sys.modules["__main__"].__dict__
    scope.clear()
    scope.update(program.names)
    sys.excepthook = _hook(program.code)
    HOST.running()
    exec(program.code, scope)


def _hook(code: CodeType) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Returns what tells of an uncaught exception as Python does, without the frames before the program's."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        own = trace
        while own is not None and own.tb_frame.f_code is not code:
            own = own.tb_next
        # The traceback that is shown is the exception's own.
        sys.__excepthook__(kind, error.with_traceback(own or trace), own or trace)

    return tell
