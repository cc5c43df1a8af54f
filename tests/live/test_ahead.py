"""Blocks are made earliest deadline first, and whatever is due goes between two of them."""

import asyncio

from locutor.live.ahead import AheadOfTime


class Counted:
    """Stands for a timeline: notes when it was prepared."""

    def __init__(self, name: str, order: list[str]) -> None:
        self._name, self._order = name, order

    def prepare(self) -> None:
        self._order.append(self._name)


def test_the_most_urgent_is_made_first_and_each_once():
    async def scene() -> list[str]:
        order: list[str] = []
        ahead = AheadOfTime()
        late, soon, middle = (Counted(name, order) for name in ("late", "soon", "middle"))
        for timeline, due_s in ((late, 3.0), (soon, 1.0), (middle, 2.0), (soon, 0.5)):
            ahead.ask(timeline, due_s)
        while len(order) < 3:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        ahead.ask(soon, 4.0)  # and again, later
        while len(order) < 4:
            await asyncio.sleep(0)
        return order

    assert asyncio.run(scene()) == ["soon", "middle", "late", "soon"]


def test_a_frame_that_is_due_is_given_fetched_and_sent_between_two_blocks():
    async def scene() -> list[str]:
        order: list[str] = []
        ahead, given, fetched = AheadOfTime(), asyncio.Event(), asyncio.Event()

        async def viewer() -> None:
            await given.wait()
            fetched.set()

        async def socket() -> None:
            await fetched.wait()
            order.append("sent")

        tasks = [asyncio.create_task(viewer()), asyncio.create_task(socket())]
        await asyncio.sleep(0)
        for k in range(3):
            ahead.ask(Counted(f"block {k}", order), float(k))
        asyncio.get_running_loop().call_soon(given.set)
        while len(order) < 4:
            await asyncio.sleep(0)
        for task in tasks:
            await task
        return order

    assert asyncio.run(scene()) == ["block 0", "sent", "block 1", "block 2"]
