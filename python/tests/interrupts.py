"""Interrupts that come at every line of a module, one after the other, as Ctrl-C may in the main thread."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupt(BaseException):
    """What Ctrl-C raises."""


class Interrupting:
    """Interrupts a call before the so manieth line of a module that it runs."""

    def __init__(self, module: ModuleType, line: int) -> None:
        self._file = module.__file__
        self._left = line

    @property
    def came(self) -> bool:
        """Whether there was such a line."""
        return self._left < 0

    def __call__(self, function: Callable[[], T]) -> T | None:
        """Calls a function in this thread; returns None if it was interrupted."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return function()
        except Interrupt:
            return None
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename != self._file:
            return None
        if event in ("call", "line") and self._can_come(frame, event):
            self._left -= 1
            if self._left == -1:
                raise Interrupt
        return self._trace

    def _can_come(self, frame: FrameType, event: str) -> bool:
        """Whether an interrupt may come there: Python looks for one where it calls something."""
        if event == "call":
            # Before the first line of what is called; nobody can help what a statement itself calls.
            return not frame.f_code.co_name.startswith("__")
        source = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if source.startswith("with "):
            # Nor is there anything between the last line under a lock and its release.
            return False
        return source != "try:" and not self._leads_to_try(frame)

    def _leads_to_try(self, frame: FrameType) -> bool:
        """Whether a special method has not come to its `try` yet: before it, it calls nothing."""
        if not frame.f_code.co_name.startswith("__"):
            return False
        lines = range(frame.f_code.co_firstlineno, frame.f_lineno + 1)
        return not any(linecache.getline(frame.f_code.co_filename, each).strip() == "try:" for each in lines)
