"""Patterns that Python's `re` reads as a bridge does, whose RE2 is another language in places."""

from __future__ import annotations

import functools
import re

__all__ = ["plain_pattern"]

# Literals, the dot, sets of plain characters, \d and \w, groups, alternatives, anchors, single repeats. No
# repeats of groups: Python tries every way to divide a text among them, which a bridge does not.
_TOKEN = re.compile(
    r"""\\[dDwW.\\+*?()|\[\]{}^$/-] | \[\^?[^\[\]\\^&~|-]?(?:[^\[\]\\^&~|])*\]
    | \((?:\?:|(?!\?)) | \)(?![*+{]) | [|.^$]
    | (?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{]) | [^\\\[\](){}|.^$*+?]""",
    re.VERBOSE | re.DOTALL,
)


@functools.lru_cache(maxsize=256)
def plain_pattern(pattern: str) -> re.Pattern[str]:
    """Returns a compiled pattern.

    Raises:
        NotImplementedError: It is not plain, so that Python might read it otherwise than a bridge does.
    """
    tokens = [found[0] for found in _TOKEN.finditer(pattern)]
    if "".join(tokens) == pattern and len(pattern) <= 1_000:
        # At the end of a line Python's own $ would match, too.
        try:
            return re.compile("".join(r"\Z" if token == "$" else token for token in tokens), re.ASCII)
        except re.error:
            pass
    raise NotImplementedError(
        f"a FakeSession judges plain patterns only, and {pattern!r} is none: test this with a real bridge "
        "(snakepit_bridge.testing.running_bridge)"
    )
