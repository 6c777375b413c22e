from __future__ import annotations

from snakepit_bridge import _calls as calls
from snakepit_bridge._errands import Errand
from snakepit_bridge._mailbox import Bell, Mailbox


def errands(count: int) -> list[Errand]:
    return [Errand(calls.GET, b"", 0.0) for _ in range(count)]


def test_what_was_submitted_is_taken_once_and_in_order() -> None:
    mailbox, (a, b, c) = Mailbox(), errands(3)
    for each in (b, a, c):
        mailbox.submit(each)
    assert list(mailbox.take()) == [(b, True), (a, True), (c, True)]
    assert list(mailbox.take()) == []


def test_the_last_wish_counts_and_it_has_no_more_than_one_of_each() -> None:
    mailbox, (a, b) = Mailbox(), errands(2)
    for _ in range(1_000):
        mailbox.submit(a)
        mailbox.let_go(b)
        mailbox.submit(b)
        mailbox.let_go(a)
    assert len(mailbox) == 2
    assert list(mailbox.take()) == [(a, False), (b, True)]


def test_what_comes_while_it_is_emptied_is_there_the_next_time() -> None:
    mailbox, (a, b) = Mailbox(), errands(2)
    mailbox.submit(a)
    for errand, _ in mailbox.take():
        mailbox.submit(errand)
        mailbox.submit(b)
    assert [errand for errand, _ in mailbox.take()] == [a, b]


def test_a_bell_that_was_rung_before_anybody_waits_wakes_once() -> None:
    bell = Bell()
    for _ in range(1_000):
        bell.ring()
    assert bell.wait(None)
    assert not bell.wait(0.0)
    assert not bell.is_over


def test_a_bell_tells_that_nothing_more_comes_however_often_it_was_rung() -> None:
    bell = Bell()
    bell.ring()
    bell.end()
    bell.ring()
    assert [bell.wait(None), bell.is_over] == [True, False]
    assert [bell.wait(None), bell.is_over] == [True, True]
    bell.ring()
    assert [bell.wait(None), bell.is_over] == [True, True]
