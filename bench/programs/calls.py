"""What one call of a caller in Python is: with our own client, each read a call, or with redis-py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from questions import Question
from workload import next_texts, next_values


class Calls:
    """Makes calls of clients that are kept, one for each server.

    Args:
        context: The class of our contexts, which wait as the caller does.
        client: The class of redis-py's clients that fits it.
    """

    def __init__(self, context: Any, client: Any) -> None:
        self._context = context
        self._client = client
        self.contexts: dict[str, Any] = {}
        self.clients: dict[str, Any] = {}

    def of(self, question: Question) -> Callable[[], Any]:
        """Returns the call that is asked for, to be made again and again."""
        return self._to_redis(question) if question["server"] == "redis" else self._to_bridge(question)

    def _to_bridge(self, question: Question) -> Callable[[], Any]:
        address, variable = question["address"], question["variable"]
        if address not in self.contexts:
            self.contexts[address] = self._context(question["session"], address=address, cache="off")
        context = self.contexts[address]
        if question["work"] == "get":
            return lambda: context.get_variable(variable)
        value = next_values(question)
        return lambda: context.set_variable(variable, value())

    def _to_redis(self, question: Question) -> Callable[[], Any]:
        address, variable = question["address"], question["variable"]
        if address not in self.clients:
            self.clients[address] = self._client.from_url(f"redis://{address}")
        client = self.clients[address]
        if question["work"] == "get":
            return lambda: client.get(variable)
        text = next_texts(question)
        return lambda: client.set(variable, text())
