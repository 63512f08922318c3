from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.drawing import CannotDraw, Pen, _Worker
from bot.messages import CannotDeliver, Image
from tests.reports.desks import rich, words

ROOT = Path(__file__).parents[1]
DEADLINE = 60.0


@pytest.fixture
def pen() -> Iterator[Pen]:
    made = Pen(patience=DEADLINE)
    yield made
    made.close()


def image(language: str = "en", **changed: Any) -> Image:
    data = {"report": {**rich(), **changed}, "words": words(language)}
    return Image("weekly_sales", data, language, f"weekly-sales-2026-W47-{language}.png", "Bookings of W47")


def resting(pen: Pen) -> _Worker:
    (worker,) = pen._resting
    return worker


def until(true: Any) -> None:
    """Wait for what another thread is about to do, and fail when it does not."""
    end = time.monotonic() + DEADLINE
    beat = threading.Event()
    while not true():
        assert time.monotonic() < end
        beat.wait(0.005)


def test_a_picture_comes_from_another_process(pen: Pen) -> None:
    picture = pen.draw(image())
    assert picture.content.startswith(b"\x89PNG")
    assert (picture.filename, picture.alt) == ("weekly-sales-2026-W47-en.png", "Bookings of W47")
    assert resting(pen).process.pid != os.getpid()
    worker = resting(pen)
    assert pen.draw(image("zh")).content != picture.content
    assert resting(pen) is worker


def test_a_worker_killed_at_rest_is_replaced(pen: Pen) -> None:
    first = pen.draw(image())
    resting(pen).process.kill()
    assert pen.draw(image()) == first


def test_a_worker_killed_while_drawing_is_replaced(pen: Pen) -> None:
    pen.draw(image())
    worker = resting(pen)
    os.kill(worker.process.pid, signal.SIGSTOP)  # it takes the job and does nothing
    with ThreadPoolExecutor(1) as others:
        coming = others.submit(pen.draw, image())
        until(lambda: worker in pen._busy)
        worker.process.kill()
        assert coming.result(DEADLINE).content
    assert resting(pen) is not worker


def test_a_worker_that_hangs_is_given_up() -> None:
    pen = Pen(patience=DEADLINE)
    try:
        pen.draw(image())
        worker = resting(pen)
        os.kill(worker.process.pid, signal.SIGSTOP)
        asked = worker.ask
        worker.ask = lambda job, patience: asked(job, patience / 1000)  # type: ignore[method-assign]
        assert pen.draw(image()).content
        assert worker.process.poll() is not None
    finally:
        pen.close()


def test_it_is_tried_twice_and_no_more(pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.drawing.BOOT", "raise SystemExit")
    with pytest.raises(CannotDraw) as caught:
        pen.draw(image())
    assert isinstance(caught.value, CannotDeliver)
    assert not caught.value.gone
    monkeypatch.undo()
    assert pen.draw(image()).content


def test_data_that_cannot_be_drawn_is_said_and_the_worker_goes_on(pen: Pen) -> None:
    pen.draw(image())
    worker = resting(pen)
    with pytest.raises(CannotDraw) as caught:
        pen.draw(image(rows="nonsense"))
    assert caught.value.gone
    assert "Traceback" not in caught.value.why
    assert pen.draw(image()).content
    assert resting(pen) is worker


def test_an_idle_worker_leaves_and_gives_its_memory_back() -> None:
    pen = Pen(idle=0.01)
    try:
        taken = threading.Event()
        send_home = pen._send_home

        def watched() -> None:
            send_home()
            taken.set()

        pen._send_home = watched  # type: ignore[method-assign]
        pen.draw(image())
        assert taken.wait(DEADLINE)
        assert not pen._resting
        assert pen.draw(image()).content
    finally:
        pen.close()


def test_warming_starts_a_worker_that_the_first_picture_uses(pen: Pen) -> None:
    pen.warm()
    worker = resting(pen)
    pen.warm()
    pen.draw(image())
    assert resting(pen) is worker


def test_many_threads_share_a_worker(pen: Pen) -> None:
    with ThreadPoolExecutor(6) as threads:
        drawn = list(threads.map(lambda n: pen.draw(image(("en", "zh")[n % 2])), range(12)))
    assert len({picture.content for picture in drawn}) == 2
    assert len(pen._resting) == 1


def test_closing_ends_the_workers_and_whoever_waits_hears_of_it() -> None:
    pen = Pen()
    pen.draw(image())
    worker = resting(pen)
    os.kill(worker.process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as others:
        coming = others.submit(pen.draw, image())
        until(lambda: worker in pen._busy)
        pen.close()
        assert isinstance(coming.exception(DEADLINE), CannotDraw)
    assert worker.process.poll() is not None
    with pytest.raises(CannotDraw):
        pen.draw(image())
    pen.close()


MAIN = """
import sys
if __name__ != "__main__":
    raise RuntimeError("the worker ran the main module")
from bot.drawing import Pen
from tests.test_drawing import image
pen = Pen()
print(len(pen.draw(image()).content), any(name in sys.modules for name in ("matplotlib", "pandas", "numpy")))
if "--forget" in sys.argv:
    print(pen._resting[0].process.pid, flush=True)
    import os; os._exit(0)
pen.close()
"""


@pytest.mark.parametrize("forget", [False, True])
def test_a_program_draws_without_running_itself_again_or_leaving_anybody_behind(tmp_path: Path, forget: bool) -> None:
    (tmp_path / "program.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{MAIN}")
    command = [sys.executable, "-m", "program", *(["--forget"] if forget else [])]
    # The worker holds the other end of stderr too: reading it to its end waits for the worker's end.
    ended = subprocess.run(  # noqa: S603
        command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    size, heavy = ended.stdout.split()[:2]
    assert int(size) > 10_000
    assert heavy == "False"
    assert ended.stderr == ""


def test_a_worker_loads_nothing_of_the_conversation() -> None:
    check = (
        "import sys; from bot import drawing; from core.reports import find, preload; preload(); find('weekly_sales');"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in ('bot', 'storage', 'sqlalchemy', 'starlette')))"
    )
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "['bot', 'bot.drawing', 'bot.messages']"
