"""Work on a stream by a few threads."""

import threading
import time

import pytest

from locutor.core.parallel import AHEAD, map_in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order_whatever_takes_longest(threads: int) -> None:
    def work(i: int) -> int:
        time.sleep(0.003 * (i % 3 == 0))
        return i * i

    assert list(map_in_order(work, range(40), threads)) == [i * i for i in range(40)]
    assert list(map_in_order(work, [], threads)) == []


def test_no_more_items_are_taken_than_may_wait() -> None:
    taken: list[int] = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    results = map_in_order(str, items(), 2)
    for n in range(1, 20):
        next(results)
        assert len(taken) <= n - 1 + AHEAD * 2
    results.close()


def test_the_items_are_made_in_the_callers_thread_and_the_work_is_not() -> None:
    makers, workers = set(), set()

    def items():
        for i in range(8):
            makers.add(threading.get_ident())
            yield i

    list(map_in_order(lambda _: workers.add(threading.get_ident()), items(), 2))
    assert makers == {threading.get_ident()}
    assert threading.get_ident() not in workers


def test_an_error_comes_in_its_place() -> None:
    def work(i: int) -> int:
        if i == 3:
            raise ValueError("three")
        return i

    results = map_in_order(work, range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_nothing_runs_after_it_was_closed() -> None:
    before = threading.active_count()
    results = map_in_order(lambda i: i, iter(range(100)), 3)
    next(results)
    results.close()
    assert threading.active_count() == before
