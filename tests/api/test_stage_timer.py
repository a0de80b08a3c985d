import threading
import time

import pytest

from alpharefine import stage_timer
from alpharefine.stage_timer import StageTimer, stage


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that only `_work` moves."""
    now = [100.0]
    monkeypatch.setattr(stage_timer.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


@stage("inner")
def _inner() -> None:
    time.sleep(2.0)


@stage("outer")
def _outer(times: int, *, last: float = 1.0) -> str:
    for _ in range(times):
        _inner()
    time.sleep(last)
    return "done"


@pytest.mark.usefixtures("_clock")
def test_a_stage_counts_for_itself_alone() -> None:
    timer = StageTimer()
    with timer.recording():
        assert _outer(2, last=3.0) == "done"
        _inner()
    assert timer.seconds == {"inner": 6.0, "outer": 3.0}
    timer.clear()
    assert timer.seconds == {}


@pytest.mark.usefixtures("_clock")
def test_nothing_is_recorded_outside_of_recording() -> None:
    timer = StageTimer()
    with timer.recording():
        pass
    assert _outer(1) == "done"
    assert timer.seconds == {}


@pytest.mark.usefixtures("_clock")
def test_a_failing_stage_is_timed_and_leaves_the_others_right() -> None:
    @stage("failing")
    def fail() -> None:
        time.sleep(1.0)
        raise RuntimeError

    timer = StageTimer()
    with timer.recording():
        with pytest.raises(RuntimeError):
            fail()
        _inner()
    assert timer.seconds == {"failing": 1.0, "inner": 2.0}


def test_other_threads_are_not_recorded() -> None:
    timer = StageTimer()
    with timer.recording():
        thread = threading.Thread(target=stage("elsewhere")(lambda: None))
        thread.start()
        thread.join()
    assert timer.seconds == {}


def test_the_device_is_waited_for_at_both_ends() -> None:
    events: list[str] = []
    timer = StageTimer(lambda: events.append("wait"))
    with timer.recording():
        stage("work")(lambda: events.append("work"))()
    assert events == ["wait", "work", "wait"]
