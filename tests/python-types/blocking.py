"""A worker that blocks, with types. It prints what it does, and how it is refused."""

from __future__ import annotations

import sys

from params import Params

from snakepit_bridge import ConstraintError, DefinitionConflictError
from snakepit_bridge.sync import SessionContext

with SessionContext(sys.argv[1]) as context:
    try:
        session = context.typed(Params)
    except DefinitionConflictError as error:
        sys.exit(f"{error.reason} {error.identifier}: {error}")
    session.set_variable("learning.rate", 0.5)
    session.set_variables({"phase": "main", "plan": {"steps": ["a"]}, "class": "first"})
    for _ in range(2):
        sys.stdout.write(f"{session.increment('calls')}\n")
    session.update_variable("température", lambda now: now + 1.5)
    try:
        session.set_variable("temperature", 3)
    except ConstraintError as refusal:
        sys.stdout.write(f"{refusal}\n")
    sys.stdout.write(f"{session.wait_for('phase', lambda phase: phase == 'main')}\n")
    sys.stdout.write(f"{session.get_all(Params)}\n")
