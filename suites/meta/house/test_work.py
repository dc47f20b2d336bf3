"""Work is counted once, however deep, and what a stage does besides is the suite's own cost."""

import threading
import time

import pytest

from fixtures.cases import Case
from fixtures.recording import RecordDraft, close, judge
from fixtures.work import work, worked


def test_work_within_work_counts_once() -> None:
    """Also where it ends in an error; what lies between is none."""
    before = worked()
    with work(), work():
        time.sleep(0.02)
    time.sleep(0.2)
    with pytest.raises(KeyError), work():
        raise KeyError
    assert 0.02 <= worked() - before < 0.2


def test_work_of_another_thread_is_not_counted() -> None:
    """A build that is made ahead is no work of the case that runs meanwhile, and closes none of its work."""
    before, begun, ended = worked(), threading.Event(), threading.Event()

    def build() -> None:
        with work():
            begun.set()
            ended.wait(10)

    thread = threading.Thread(target=build)
    thread.start()
    begun.wait(10)
    with work():
        ended.set()
        thread.join()
    assert 0 < worked() - before < 5
    seen = []
    thread = threading.Thread(target=lambda: seen.append(worked()))
    thread.start()
    thread.join()
    assert seen == [0.0]


def test_a_record_has_what_was_no_work() -> None:
    """The seconds of its stage, less the work that was done meanwhile."""
    draft = RecordDraft(Case("convert", "digits", "torchscript", 13), {"name": "digits"})
    draft.begun -= 5
    with work():
        time.sleep(0.02)
    record = close(draft, judge(draft, None, ()), run_id="r", commit="c", time_="t")
    assert record.seconds - record.harness == pytest.approx(worked() - draft.worked, abs=0.002)
    assert 4.9 < record.harness < record.seconds
