"""What stderr shows of a run, on a terminal and in a log; time is told by a clock that stands still."""

from __future__ import annotations

import io
import re
import threading

import pytest
from rich.console import Console

from vecferry.cli.board import Board
from vecferry.cli.live import LiveBoard, active
from vecferry.cli.progress import LiveProgress, PlainProgress, Screen, screen_for
from vecferry.progress import Progress

MB = 1_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def plain(clock: Clock, log: io.StringIO) -> PlainProgress:
    return PlainProgress(Console(file=log, width=80, highlight=False, markup=False), clock)


class TestPlain:
    def test_a_step_is_two_lines(self, plain: PlainProgress, log: io.StringIO) -> None:
        plain.begin("plan")
        plain.end("plan", 0.42)
        assert log.getvalue() == "plan: started\nplan: done in 0.42 s\n"

    def test_a_table_speaks_every_five_seconds_and_at_its_end(
        self, plain: PlainProgress, log: io.StringIO, clock: Clock
    ) -> None:
        plain.begin("load")
        plain.table("docs", 100_000, 100 * MB)
        for _ in range(10):
            clock.now += 1.0
            plain.advance("docs", 10_000, 10 * MB)
        plain.end("load", 10.0)
        assert log.getvalue().splitlines() == [
            "load: started",
            "load: docs: 60,000 of 100,000 rows (60%), 10,000 rows/s, 10.0 MB/s, about 4.0 s left",
            "load: docs: 100,000 rows, 100.0 MB",
            "load: done in 10.0 s, 100,000 rows, 100.0 MB",
        ]

    def test_an_estimate_that_was_too_high_still_gets_its_last_line(
        self, plain: PlainProgress, log: io.StringIO, clock: Clock
    ) -> None:
        plain.begin("load")
        plain.table("docs", 100, 1000)
        clock.now += 1.0
        plain.advance("docs", 90, 900)
        plain.end("load", 1.0)
        assert log.getvalue().splitlines()[1:] == ["load: docs: 90 rows, 900 B", "load: done in 1.0 s, 90 rows, 900 B"]

    def test_an_estimate_that_was_too_low_tells_the_truth_at_the_end(
        self, plain: PlainProgress, log: io.StringIO, clock: Clock
    ) -> None:
        plain.begin("load")
        plain.table("docs", 1, 10)
        clock.now += 1.0
        plain.advance("docs", 2, 20)
        plain.advance("docs", 3, 30)
        plain.end("load", 1.0)
        assert [line for line in log.getvalue().splitlines() if "docs" in line] == [
            "load: docs: 2 rows, 20 B",
            "load: docs: 5 rows, 50 B",
        ]

    def test_many_small_tables_are_a_line_each(self, plain: PlainProgress, log: io.StringIO, clock: Clock) -> None:
        plain.begin("load")
        for number in range(500):
            plain.table(f"t{number}", 10, 1000)
        clock.now += 1.0
        for number in range(500):
            plain.advance(f"t{number}", 10, 1000)
        plain.end("load", 1.0)
        lines = log.getvalue().splitlines()
        assert len(lines) == 502
        assert lines[-1] == "load: done in 1.0 s, 5,000 rows, 500.0 kB"

    def test_what_an_earlier_run_carried_is_told_apart(self, plain: PlainProgress, log: io.StringIO) -> None:
        plain.begin("load")
        plain.table("docs", 10, 1000)
        plain.resumed("docs", 10, 1000)
        plain.end("load", 0.01)
        assert log.getvalue().splitlines()[-1] == "load: done in 0.01 s, 10 rows, 1.0 kB (10 of them earlier)"

    def test_an_index_speaks_every_five_seconds(self, plain: PlainProgress, log: io.StringIO, clock: Clock) -> None:
        for done in range(0, 100, 10):
            plain.index("docs_hnsw", "loading tuples", done, 100)
            clock.now += 1.0
        assert log.getvalue() == "docs_hnsw: loading tuples, 50%, about 5.0 s left\n"

    def test_a_note_is_a_line_and_no_markup(self, plain: PlainProgress, log: io.StringIO) -> None:
        plain.note("docs[bold] could not be read, " + "again " * 30)
        assert log.getvalue() == "note: docs[bold] could not be read, " + "again " * 30 + "\n"

    def test_threads_lose_nothing(self, plain: PlainProgress, log: io.StringIO, clock: Clock) -> None:
        plain.begin("load")
        plain.table("docs", 8 * 500, 8 * 500)
        clock.now += 1.0

        def work() -> None:
            for _ in range(500):
                plain.advance("docs", 1, 1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        plain.end("load", 1.0)
        assert log.getvalue().splitlines()[-1] == "load: done in 1.0 s, 4,000 rows, 4.0 kB"


class TestBoard:
    def test_rates_and_time_left(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        board.table("docs", 1000, 10 * MB)
        board.table("tags", 1000, 10 * MB)
        clock.now += 10.0
        docs = board.advance("docs", 500, 5 * MB)
        assert (docs.share, docs.rate.rows, docs.rate.size, docs.seconds_left) == (0.5, 50.0, 0.5 * MB, 10.0)
        total = board.total
        assert (total.rows, total.rows_done, total.size_done, total.share) == (2000, 500, 5 * MB, 0.25)
        assert (total.rate, total.seconds_left) == (docs.rate, 30.0)

    def test_a_big_table_counts_for_more_than_a_small_one(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        board.table("vectors", 100, 900 * MB)
        board.table("tags", 1_000_000, 100 * MB)
        clock.now += 1.0
        board.advance("tags", 1_000_000, 30 * MB)
        assert board.total.share == pytest.approx(0.1)

    def test_what_an_earlier_run_carried_counts_but_is_no_speed(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        board.table("docs", 1000, 1000)
        board.resumed("docs", 600, 600)
        clock.now += 10.0
        docs = board.advance("docs", 100, 100)
        assert (docs.share, docs.rate.rows, docs.seconds_left) == (0.7, 10.0, 30.0)

    def test_an_index_that_is_through_has_no_time_left_to_tell(self, clock: Clock) -> None:
        board = Board(clock)
        board.index("i", "loading tuples", 1, 10)
        clock.now += 4.0
        assert board.index("i", "loading tuples", 12, 10).seconds_left is None

    def test_a_rate_forgets_what_is_long_ago(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        board.table("docs", 1000, 1000)
        clock.now += 1.0
        board.advance("docs", 100, 100)
        assert board.tables()[0].rate.rows == 100.0
        clock.now += 60.0
        assert board.tables()[0].rate.rows == 0.0
        assert board.tables()[0].seconds_left is None

    def test_a_table_told_of_twice_counts_once(self, clock: Clock) -> None:
        board = Board(clock)
        board.table("docs", 10, 100)
        board.table("docs", 20, 200)
        assert board.total.rows == 20

    def test_a_phase_has_its_own_time_left(self, clock: Clock) -> None:
        board = Board(clock)
        board.index("i", "initializing", 0, 0)
        clock.now += 100.0
        assert board.index("i", "loading tuples", 0, 10).seconds_left is None
        clock.now += 4.0
        index = board.index("i", "loading tuples", 4, 10)
        assert (index.share, index.seconds_left) == (0.4, 6.0)

    def test_only_tables_at_work_are_active(self, clock: Clock) -> None:
        board = Board(clock)
        for number in range(500):
            board.table(f"t{number:03}", 10, 10)
        clock.now += 1.0
        for number in range(100):
            board.advance(f"t{number:03}", 10, 10)
        for number in range(100, 120):
            clock.now += 0.1
            board.advance(f"t{number:03}", 5, 5)
        names = [table.name for table in active(board.tables(), 8)]
        assert names == [f"t{number}" for number in range(112, 120)]


class TestLive:
    def draw(self, board: Board, width: int = 100, height: int = 30) -> str:
        console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
        with console.capture() as captured:
            console.print(LiveBoard(board, console))
        return captured.get()

    def test_a_load(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        board.table("documents", 2_000_000, 2_000 * MB)
        board.table("tags", 10, 100)
        clock.now += 10.0
        board.advance("tags", 10, 100)
        board.advance("documents", 500_000, 500 * MB)
        steps, documents, total = self.draw(board).splitlines()
        assert re.search(r"load +10\.0 s", steps)
        assert re.search(r"documents .*25%.*500\.0k/2\.0M rows +50\.0k/s +50\.0 MB/s +30\.0 s left", documents)
        assert re.search(r"1 of 2 tables .*25%", total)

    @pytest.mark.parametrize("width", [60, 80, 120, 200])
    def test_no_line_is_wider_than_the_terminal(self, clock: Clock, width: int) -> None:
        board = Board(clock)
        board.begin("load")
        board.begin("vector_index")
        board.table("a_table_with_quite_a_long_name_" * 2, 2_000_000, 2_000 * MB)
        clock.now += 10.0
        board.advance("a_table_with_quite_a_long_name_" * 2, 500_000, 500 * MB)
        board.index("an_index_with_quite_a_long_name_" * 2, "building index: loading tuples", 4, 10)
        lines = self.draw(board, width=width).splitlines()
        assert len(lines) == 5
        assert all(len(line) <= width for line in lines)

    def test_500_tables_do_not_flood_the_screen(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("load")
        for number in range(500):
            board.table(f"t{number}", 100, 100)
        clock.now += 1.0
        for number in range(500):
            board.advance(f"t{number}", 1, 1)
        assert len(self.draw(board).splitlines()) == 10
        assert len(self.draw(board, height=12).splitlines()) == 6

    def test_an_index(self, clock: Clock) -> None:
        board = Board(clock)
        board.begin("vector_index")
        board.index("docs_hnsw", "loading tuples", 0, 100)
        clock.now += 9.0
        board.index("docs_hnsw", "loading tuples", 75, 100)
        step, index = self.draw(board).splitlines()
        assert "vector index" in step
        assert re.search(r"docs_hnsw .*75% +loading tuples +3\.0 s left", index)

    def test_finished_steps_stay_and_the_board_does_not(self, clock: Clock) -> None:
        screen_text = io.StringIO()
        console = Console(file=screen_text, width=100, force_terminal=True, color_system=None)
        with LiveProgress(console, clock) as live:
            live.begin("load")
            live.table("docs", 10, 1000)
            clock.now += 1.0
            live.advance("docs", 10, 1000)
            live.end("load", 12.3)
            live.note("one chunk was read twice")
            with live.paused():
                console.print("a question")
        shown = screen_text.getvalue()
        assert re.search(r"✓ load +12\.3 s +10 rows, 1\.0 kB", shown)
        assert "note: one chunk was read twice" in shown
        assert "a question" in shown


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with screen_for(quiet=True) as screen:
        assert type(screen) is Screen
        screen.begin("load")
        screen.note("ignored")
    assert capsys.readouterr() == ("", "")


def test_what_is_no_terminal_gets_plain_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with screen_for() as screen:
        assert isinstance(screen, PlainProgress)
        screen.begin("plan")
    assert capsys.readouterr() == ("", "plan: started\n")


@pytest.mark.parametrize("kind", [Screen, PlainProgress, LiveProgress])
def test_every_screen_is_a_progress(kind: type[Screen]) -> None:
    assert issubclass(kind, Progress)
    if kind is not Screen:
        told = {name for name, value in vars(Progress).items() if callable(value)}
        assert told <= set(vars(kind))
