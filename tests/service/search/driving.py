"""Drives a scheduler through a search in a random order, with a crash where a test wants one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from service.search.scheduler import Action, Scheduler


class Drive:
    """A search of ``trials`` trials on ``slots`` slots, whose losses are random but repeatable.

    ``log`` holds what was decided: promotions, and trials that were stopped or had ended.
    """

    def __init__(
        self, make: Callable[[], Scheduler], seed: int, *, trials: int, epochs: int, slots: int = 3
    ) -> None:
        self._make, self.scheduler = make, make()
        self._order, self._seed = Random(seed), seed
        self._trials, self._epochs, self._slots = trials, epochs, slots
        self._next = 0
        #: Running trials: the last epoch reported and the epoch up to which they train.
        self.running: dict[int, tuple[int, int]] = {}
        self.losses: dict[int, dict[int, float]] = {}
        self.log: list[tuple[str, int, int]] = []

    def loss(self, number: int, epoch: int) -> float:
        """Return a loss with ties among the trials."""
        return Random(f"{self._seed}-{number}-{epoch}").randrange(8) / epoch

    def step(self) -> bool:
        """Start what can start and let one trial train an epoch; return whether one did."""
        while len(self.running) < self._slots and self._start():
            pass
        if not self.running:
            return False
        self._train(self._order.choice(sorted(self.running)))
        return True

    def finish(self) -> None:
        """Go on to the end of the search."""
        while self.step():
            pass

    def crash(self) -> None:
        """Go on with a new scheduler that is told what the database would know."""
        running, self.running = self.running, {}
        self.scheduler = self._make()
        self.scheduler.restore(self.losses, running=running)
        ended = {number for what, number, _ in self.log if what != "promoted"}
        for number, losses in self.losses.items():
            if self._epochs in losses:
                self.scheduler.end(number, losses[self._epochs])
            if number not in ended and number not in running:  # it is paused
                assert self.scheduler.begin(number) == max(losses)
        for number, (epoch, until) in running.items():
            assert self.scheduler.begin(number) == until
            self.running[number] = (epoch, until)

    def _start(self) -> bool:
        promotion = self.scheduler.promote()
        if promotion is None and self._next < self._trials and self.scheduler.can_begin():
            self.running[self._next] = (0, self.scheduler.begin(self._next))
            self._next += 1
            return True
        if promotion is None and self._next == self._trials:
            promotion = self.scheduler.promote(running=self.running)
        if promotion is None:
            return False
        self.log.append(("promoted", promotion.number, promotion.until))
        self.running[promotion.number] = (max(self.losses[promotion.number]), promotion.until)
        return True

    def _train(self, number: int) -> None:
        epoch, until = self.running[number]
        epoch += 1
        loss = self.loss(number, epoch)
        self.losses.setdefault(number, {})[epoch] = loss
        self.running[number] = (epoch, until)
        action = self.scheduler.report(number, epoch, loss)
        if action is Action.PAUSE:
            assert epoch == until < self._epochs
            del self.running[number]
        elif action is Action.STOP or epoch == self._epochs:
            if epoch == self._epochs:
                self.scheduler.end(number, loss)
            self.log.append((str(action), number, epoch))
            del self.running[number]
