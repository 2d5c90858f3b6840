"""What Tune asks and tells reaches the segment queue, and what the queue raises reaches Tune."""

from __future__ import annotations

from typing import Any

import pytest
from ray.tune.search import Searcher

from results.errors import LeaseLost
from results.records import Failure
from results.states import FailureKind
from service.engine import memory_kills
from service.engine.messages import (
    ASSIGNMENT,
    CONTEXT,
    Assignment,
    Epoch,
    Finished,
    Message,
    to_result,
)
from service.engine.search import MessageCallback, SegmentSearcher, Work

ASSIGNED = Assignment("t1", 0, {"learning_rate": 0.1}, 42, 3)


class Scripted:
    """A segment queue and a recorder that note what they are asked."""

    def __init__(self, *answers: Assignment | str | None) -> None:
        self.answers, self.asked = list(answers), list[str]()
        self.ends: list[tuple[str, bool, Failure | None]] = []
        self.taken: list[tuple[str, list[Message]]] = []
        self.calls: list[str] = []
        self.error: Exception | None = None

    def next(self, segment_id: str) -> Assignment | str | None:
        self.asked.append(segment_id)
        return self.answers.pop(0)

    def take(self, segment_id: str, messages: list[Message]) -> None:
        self.taken.append((segment_id, messages))

    def end(self, segment_id: str, *, is_gone: bool, lost: Failure | None) -> None:
        if self.error is not None:
            raise self.error
        self.ends.append((segment_id, is_gone, lost))

    def stop_surplus(self) -> None:
        self.calls.append("stop")

    def flush_if_due(self) -> None:
        self.calls.append("flush")


def work(script: Scripted, context: bytes = b"job") -> Work:
    return Work(script, script, context, (1.0, 0.0))  # type: ignore[arg-type]


def at_work(script: Scripted, *running: str) -> SegmentSearcher:
    """A searcher that has begun with the one job that there is, and with these segments."""
    script.answers[:0] = [ASSIGNED] * len(running)
    search = SegmentSearcher(iter([work(script)]))
    for segment_id in running:
        assert search.suggest(segment_id)
    return search


def test_tune_is_given_segments_told_to_wait_and_told_that_all_is_done() -> None:
    script = Scripted(ASSIGNED, None, "leave", "finished")
    search = SegmentSearcher(iter([work(script)]))
    given = search.suggest("t1")
    assert isinstance(given, dict)
    assert Assignment.from_json(given[ASSIGNMENT]) == ASSIGNED
    assert search.suggest("t2") is None
    assert script.calls == ["flush"], "Tune may now wait for a second"
    assert search.suggest("t3") == {ASSIGNMENT: None, CONTEXT: b"job"}
    assert search.suggest("t4") == Searcher.FINISHED
    assert script.asked == ["t1", "t2", "t3", "t4"]
    assert search.begun == 2


def test_the_next_job_follows_in_the_same_run() -> None:
    first, second = Scripted(ASSIGNED, "finished"), Scripted(ASSIGNED, "finished")
    search = SegmentSearcher(iter([work(first, b"first"), work(second, b"second")]))
    given = [search.suggest(name) for name in ("t1", "t2", "t3")]
    contexts = [one[CONTEXT] for one in given if isinstance(one, dict)]
    assert contexts == [b"first", b"second"]
    assert given[2] == Searcher.FINISHED
    assert (first.asked, second.asked) == (["t1", "t2"], ["t2", "t3"])


def test_a_process_that_leaves_late_is_none_of_the_next_job() -> None:
    first, second = Scripted(ASSIGNED, "leave", "finished"), Scripted(ASSIGNED)
    search = SegmentSearcher(iter([work(first), work(second)]))
    for segment_id in ("t1", "leaves"):
        search.suggest(segment_id)
    search.on_trial_complete("t1")
    search.suggest("t2")
    search.on_trial_complete("leaves", error=True)
    search.on_trial_complete("t2")
    assert [name for name, *_ in first.ends] == ["t1"]
    assert [name for name, *_ in second.ends] == ["t2"]


def test_the_end_of_a_segment_is_told_with_what_ended_its_process() -> None:
    script = Scripted()
    search = at_work(script, "t1", "t2")
    search.on_trial_complete(trial_id="t1", result={"done": True})
    token = memory_kills._reason.set("1 worker(s) were killed")
    search.on_trial_complete(trial_id="t2", error=True)
    memory_kills._reason.reset(token)
    first, (second, is_gone, lost) = script.ends
    assert first == ("t1", False, None)
    assert (second, is_gone) == ("t2", True)
    assert lost is not None
    assert (lost.kind, lost.traceback) == (FailureKind.OUT_OF_MEMORY, "1 worker(s) were killed")
    assert "ran out of memory" in lost.message


def test_an_exception_that_tune_would_swallow_is_raised_by_the_next_call() -> None:
    script = Scripted(None)
    script.error = LeaseLost("taken over")
    search = at_work(script, "t1")
    search.on_trial_complete(trial_id="t1", error=True)
    with pytest.raises(LeaseLost, match="taken over"):
        search.suggest("t2")


def test_messages_and_steps_reach_the_queue_and_the_recorder() -> None:
    script = Scripted()
    callback = MessageCallback(at_work(script, "t1"))

    class TuneTrial:
        trial_id = "t1"

    messages: list[Message] = [Epoch(1, {"loss": 0.5}, 1.0), Finished()]
    trial: Any = TuneTrial()
    callback.on_trial_result(0, [], trial, to_result(messages))
    callback.on_step_end(0, [])
    assert script.taken == [("t1", messages)]
    assert script.calls == ["stop", "flush"]


def test_tunes_snapshots_hold_nothing_of_ours(tmp_path: Any) -> None:
    search = at_work(Scripted())
    assert search.__getstate__() == {}
    assert MessageCallback(search).__getstate__() == {}
