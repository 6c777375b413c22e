"""What each method of a session context does, for every shell.

The methods that wait are flows (`_steps`), which a shell runs to their end; the others are done at once.
Names, parameters, defaults and docstrings stand here only, and are those of the shells' methods. Nothing here
waits or locks: a shell sees to it that one step is taken at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from . import _core as core
from ._definitions import Definition, Variables, check_fit, definitions_of
from ._errors import (
    BatchError,
    ConflictError,
    LimitError,
)
from ._reads import Reads
from ._results import Committed, History, VariableInfo, VariableType, Written
from ._retry import after_conflict
from ._steps import Flow, Invoke, Pause
from ._waiting import Waiting

__all__ = ["Methods"]

ParamsT = TypeVar("ParamsT", bound=Variables[Any, Any])


class Methods(Reads, Waiting):
    """The methods of one context."""

    def create_session(
        self,
        *,
        ttl: float | timedelta | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Flow[bool]:
        """Makes sure that the session exists.

        Args:
            ttl: The idle time after which the session expires, in seconds; 0: never. None: the server's
                default, an hour. Ignored, as the metadata is, if the session exists.
            metadata: Free text about the session.
            timeout: See the class.

        Returns:
            True if it was created, False if it existed.
        """
        return (yield from self._run(self._core.create_session(ttl, metadata), timeout))

    def typed(self, params: type[Variables[Any, Any]], *, timeout: float | None = None) -> Flow[Any]:
        """Returns this context as the typed session of generated code, once its variables are found to fit.

        They fit if each is there with the type and the constraints that the code was generated for. The
        session may have more. It is looked at now and not again: what is defined anew later is not noticed.

        Args:
            params: The dataclass that `snakepit-bridge types` made.
            timeout: See the class.

        Raises:
            DefinitionConflictError: They do not fit; the message has every variable that differs.
            SessionNotFoundError: There is no such session.
        """
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        found: dict[str, Definition] = {}
        parts = [list(definitions_of(params).variables)]
        while parts:
            names = parts.pop()
            call = self._core.get_definitions(names)
            try:
                found.update((yield from self._run(call, self._left(deadline, "the check", limit))))
            except LimitError:
                # One answer has room for 1,000 variables and 4 MiB of values.
                middle = len(names) // 2
                if middle == 0:
                    raise
                parts += [names[:middle], names[middle:]]
        check_fit(params, found, self.session_id)

    def set_variable(
        self,
        name: str,
        value: Any,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_version: int | None = None,
        timeout: float | None = None,
    ) -> Flow[Written]:
        """Sets a variable.

        Args:
            name: Its name or id.
            value: A bool, int, float or str, or a numpy scalar of these kinds; for a json variable also None,
                a list, tuple or dict of such values, which comes back as it was, a tuple as a list. An int is
                taken by a float variable if a float holds it exactly; nothing else is converted.
            metadata: Free text that belongs to this write.
            expected_version: Set only if the variable is at this version; 0: only if it does not exist. None:
                always.
            timeout: See the class.

        Raises:
            TypeMismatchError: The value is not of the variable's type.
            ConstraintError: It breaks a constraint.
            ConflictError: The variable is at another version.
            InvalidInputError: The name, value or metadata cannot be one.
            VariableNotFoundError: There is no such variable (`strict`, or `expected_version` above 0).
            SessionNotFoundError: There is no such session (`strict`, or it existed before).
        """
        return (yield from self._run(self._core.set(name, value, metadata, expected_version), timeout))

    def increment(
        self,
        name: str,
        by: float = 1,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[Any]:
        """Adds to a float or integer variable, as one step that no other write can come between.

        Args:
            name: Its name or id.
            by: What to add; negative to subtract. An integer variable takes only an int.
            metadata: Free text that belongs to this write.
            timeout: See the class.

        Returns:
            The sum. Raises as `set_variable` does.
        """
        return (yield from self._run(self._core.increment(name, by, metadata), timeout))

    def update_variable(
        self,
        name: str,
        fn: Callable[[Any], Any],
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[Written]:
        """Sets a variable to what a function makes of its value, without losing the write of another.

        The result is set if the variable is still at the version that was read; else this begins anew, with a
        value from the server. So the function may be called several times, and should only compute.
        `increment` does sums in one call.

        Args:
            name: Its name or id.
            fn: Takes the value and returns the new one; with asyncio it may be a coroutine function.
            metadata: Free text that belongs to this write.
            timeout: See the class; for all of it together.

        Raises:
            ConflictError: Others were faster 100 times, or until the time was up. Nothing was set.
            VariableNotFoundError: There is no such variable. Otherwise as `set_variable`.
        """
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        attempt = 0
        while True:
            attempt += 1
            left = self._left(deadline, "the update", limit)
            # What a replica has may be a moment old; then the first attempt finds a conflict.
            reading = yield from self._read(name, left, bypass=attempt > 1 or not self.replica.is_current)
            value = yield Invoke(fn, reading.value)
            call = self._core.set(name, value, metadata, reading.version)
            try:
                return (yield from self._run(call, self._left(deadline, "the update", limit)))
            except ConflictError:
                pause = after_conflict(attempt, deadline - self.now(), self.jitter())
                if pause is None:
                    raise
            yield Pause(pause)

    def update_variables(
        self,
        updates: Mapping[str, Any],
        metadata: Mapping[str, str] | None = None,
        atomic: bool = True,
        *,
        timeout: float | None = None,
    ) -> Flow[dict[str, bool | str]]:
        """Sets many variables and reports on each.

        Args:
            updates: Values by name or id, at most 1,000.
            metadata: Free text that belongs to these writes.
            atomic: True: all or nothing. False: those that are acceptable.
            timeout: See the class.

        Returns:
            True for each that was set, else the text of its error. No item makes this raise; a failure of the
            whole request does.
        """
        self.check_open()
        items, faults = self._core.batch(updates)
        refused = atomic and bool(faults)
        if items and not refused:
            try:
                call = self._core.set_many(items, metadata, atomic)
                faults.update((yield from self._run(call, timeout))[1])
            except BatchError as error:
                faults, refused = error.errors, True
        return core.verdicts(updates, faults, refused=refused)

    def set_variables(
        self,
        updates: Mapping[str, Any],
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[Committed]:
        """Sets many variables in one commit, all or nothing.

        Args:
            updates: Values by name or id, at most 1,000; without any, no call is made.
            metadata: Free text that belongs to these writes.
            timeout: See the class.

        Raises:
            BatchError: At least one cannot be set, and none was; `errors` has all of them.
        """
        self.check_open()
        items, faults = self._core.batch(updates)
        if faults:
            raise core.batch_error(faults, len(updates), self.session_id)
        if not items:
            return Committed(None, {}, None)
        return (yield from self._run(self._core.set_many(items, metadata, True), timeout))[0]

    def register_variable(
        self,
        name: str,
        type: VariableType,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[str]:
        """Defines a new variable.

        Args:
            name: 1 to 256 bytes of text.
            type: `float`, `integer`, `string`, `boolean`, `choice` or `json`.
            initial_value: Its first value, which has to satisfy the constraints.
            constraints: Limits on every value: `min`, `max` (float, integer), `step` (integer), `min_length`,
                `max_length`, `pattern` (string), `choices` (choice, which needs it): a list of str.
            metadata: Free text about the variable.
            timeout: See the class.

        Returns:
            The variable's id, which methods take in place of the name.

        Raises:
            AlreadyExistsError: The name is taken, and not by a variable that was only inferred.
            DefinitionConflictError: An inferred variable of this name has a value that does not fit.
            TypeMismatchError: The initial value is not of the type.
            ConstraintError: The initial value breaks a constraint.
            InvalidInputError: The name, type, value, metadata or a constraint cannot be one.
        """
        call = self._core.register(name, type, initial_value, constraints, metadata)
        return (yield from self._run(call, timeout))

    def ensure_variable(
        self,
        name: str,
        type: VariableType,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[str]:
        """Makes sure that a variable with this definition exists, so that a program can start twice.

        A missing variable is created. An existing one keeps its value; other constraints replace its own if
        the value satisfies them. The session has to exist. The arguments are those of `register_variable`.

        Returns:
            The variable's id.

        Raises:
            DefinitionConflictError: It exists with another type, or with a value that breaks the constraints.
            SessionNotFoundError: There is no such session.
        """
        call = self._core.ensure(name, type, initial_value, constraints, metadata)
        try:
            return (yield from self._run(call, timeout))
        except BatchError as error:
            # On the wire this is a batch of one; here it is one variable.
            only = error.errors.get(name)
            if only is None:
                raise
            raise only from error

    def delete_variable(self, name: str, *, timeout: float | None = None) -> Flow[None]:
        """Deletes a variable, by name or id.

        Raises:
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
        """
        yield from self._run(self._core.delete(name), timeout)

    def list_variables(
        self,
        glob: str | None = None,
        *,
        type: VariableType | None = None,
        source: str | None = None,
        timeout: float | None = None,
    ) -> Flow[dict[str, VariableInfo]]:
        r"""Returns all there is to know about the variables, by name, from the server.

        Args:
            glob: Only names that match: `*` is any run of characters, `?` one, and `\` takes the next as it
                is.
            type: Only variables of this type.
            source: Only variables written last by this language, such as `typescript`.
            timeout: See the class; for all pages together.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        variables: dict[str, VariableInfo] = {}
        page_token = ""
        while True:
            call = self._core.list_page(glob, type, source, page_token)
            page = yield from self._run(call, self._left(deadline, "the list", limit))
            variables.update(page.variables)
            page_token = page.next_token
            if not page_token:
                return variables

    def get_history(
        self, name: str, limit: int | None = None, *, timeout: float | None = None
    ) -> Flow[History]:
        """Returns the values that a variable had, newest first, the current one included, from the server.

        As many are kept as are the newest 50 and at most 1 MiB of them.

        Args:
            name: Its name or id.
            limit: At most so many of them, the newest. None: all that are kept.
            timeout: See the class.

        Raises:
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
        """
        return (yield from self._run(self._core.history(name, limit), timeout))

    def heartbeat(self, *, timeout: float | None = None) -> Flow[None]:
        """Restarts the session's idle time.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        yield from self._run(self._core.heartbeat(), timeout)

    def delete_session(self, *, timeout: float | None = None) -> Flow[None]:
        """Ends the session with all its variables.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        yield from self._run(self._core.delete_session(), timeout)
