"""Names of variables and sessions, and ids of variables (VAL-8), as a bridge judges them.

A name that has a variable was judged by the bridge. Here it is told of others whether they could have one.
"""

from __future__ import annotations

import json
import re
import unicodedata

__all__ = ["fault_of_identifier", "fault_of_name", "name_in", "quote"]

_ID = re.compile(r"var_(.+)_[0-9]+", re.DOTALL)
_FORBIDDEN = {"\u2028", "\u2029", "\ufeff"}
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_LONGEST = 256


def name_in(identifier: str) -> str | None:
    """Returns the name in the id of a variable; None: this is no id."""
    found = _ID.fullmatch(identifier)
    return None if found is None else found[1]


def fault_of_name(name: str) -> str | None:
    """Returns what is wrong with a name, as the end of a sentence; None if nothing is."""
    size = len(name.encode())
    if not name:
        return "is empty"
    if size > _LONGEST:
        return f"takes {size} bytes, more than {_LONGEST}"
    if any(unicodedata.category(each) == "Cc" or each in _FORBIDDEN for each in name):
        return "has a control character, a line separator or a byte order mark"
    if name[0].isspace() or name[-1].isspace():
        return "begins or ends with white space"
    return "is reserved" if name == "__proto__" else None


def fault_of_identifier(identifier: str) -> str | None:
    """Returns what is wrong with the name or id of a variable, as a sentence; None if nothing is."""
    inner = name_in(identifier)
    name = identifier if inner is None else inner
    fault = fault_of_name(name)
    if fault is None and inner is not None and name_in(inner) is not None:
        fault = "has the form of a variable id"
    return None if fault is None else f"variable name {quote(name)} {fault}"


def quote(text: str) -> str:
    """Returns a caller's text as it stands in messages (VAL-2)."""
    short = text if len(text) <= 64 else f"{text[:64]}…"
    quoted = json.dumps(short, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
