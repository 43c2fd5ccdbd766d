"""The numbers of a report, and what of the rows it may hold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.browser.samples import REPORT, STOPPED, VERIFICATION
from vecferry.report.page import render_page
from vecferry.report.plots import axis_from_zero
from vecferry.report.rates import BARS, STRETCHES, histogram, throughput
from vecferry.report.redact import redacted, shorten


class TestThroughput:
    def test_nothing(self) -> None:
        assert throughput([]) is None

    def test_one_chunk_is_an_even_line(self) -> None:
        found = throughput([(110.0, 10.0, 1000, 50_000)])
        assert found is not None
        assert found.seconds * len(found.rows_per_second) == pytest.approx(10.0)
        assert set(found.rows_per_second) == {100.0}
        assert set(found.bytes_per_second) == {5000.0}

    def test_idle_time_is_left_out(self) -> None:
        # Two calls of a run, two days apart.
        found = throughput([(10.0, 10.0, 100, 1000), (172_810.0, 10.0, 300, 3000)])
        assert found is not None
        assert found.seconds * len(found.rows_per_second) == pytest.approx(20.0)
        assert found.rows_per_second[0] == pytest.approx(10.0)
        assert found.rows_per_second[-1] == pytest.approx(30.0)

    @pytest.mark.parametrize("seed", range(20))
    def test_nothing_is_lost_or_invented(self, seed: int) -> None:
        source = random.Random(seed)
        chunks = [
            (source.uniform(0, 10 ** source.randint(0, 4)), source.choice([0.0, source.uniform(0, 50)]),
             source.randint(0, 1000), source.randint(0, 10**9))
            for _ in range(source.randint(1, 300))
        ]  # fmt: skip
        found = throughput(chunks)
        assert found is not None
        assert 1 <= len(found.rows_per_second) == len(found.bytes_per_second) <= STRETCHES
        rows = sum(chunk[2] for chunk in chunks)
        assert sum(found.rows_per_second) * found.seconds == pytest.approx(rows, rel=1e-3, abs=0.1)
        size = sum(chunk[3] for chunk in chunks)
        assert sum(found.bytes_per_second) * found.seconds == pytest.approx(size, rel=1e-3)


class TestHistogram:
    @pytest.mark.parametrize("seed", range(10))
    def test_as_numpy_counts(self, seed: int) -> None:
        values = np.random.default_rng(seed).lognormal(0, 0.5, 1000)
        edges, counts = histogram(values.tolist())
        assert len(edges) == BARS + 1
        expected, _ = np.histogram(values, np.array(edges))
        assert sum(counts) == 1000
        # A value on a bound may fall on either side of it.
        assert np.abs(np.array(counts) - expected).max() <= 1

    @pytest.mark.parametrize("value", [0.0, 1.0, 1e-30, 1e30])
    def test_one_value_is_one_bar(self, value: float) -> None:
        edges, counts = histogram([value] * 7)
        assert sorted(counts)[-2:] == [0, 7]
        assert edges[0] <= value <= edges[-1]

    def test_rounding_is_no_spread(self) -> None:
        _, counts = histogram([1 + number * 1e-9 for number in range(100)])
        assert max(counts) == 100

    def test_nothing(self) -> None:
        assert histogram([]) == ((), ())


@pytest.mark.parametrize(
    ("greatest", "top"),
    [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (9.1, 10.0), (2340.0, 2500.0), (1e9, 1e9), (1.01e9, 1.5e9)],
)
def test_an_axis_ends_at_a_round_number(greatest: float, top: float) -> None:
    assert axis_from_zero(greatest, str).ticks[-1][0] == pytest.approx(top)


class TestExamples:
    def value(self, **changes: Any) -> dict[str, Any]:
        return {**STOPPED.to_json(), "verification": VERIFICATION, **changes}

    @pytest.mark.parametrize(
        ("run_id", "sentence"),
        [
            (
                "",
                "the plan forbids this:\n  - a.b holds 2 zero dates (at id = s3cret; id = b)\n  - c (at id = s3c) ret)",
            ),
            ("1f", "the plan forbids this:\n  - a.b holds 2 zero dates (at id = s3cret; id = b)"),
            ("1f", 'table a: id = s3cret: column b: "s3cret" is no embedding'),
            ("1f", 'the target refused: duplicate key violates "a_pkey" (Key (id)=(s3cret) already exists.)'),
            ("1f", "a row of a with id > 's3cret' and id <= 's3c': the source refused"),
            ("1f", "the source refused: Incorrect string value: 's3cret\n  - s3cret"),
        ],
    )
    def test_none_is_left(self, run_id: str, sentence: str) -> None:
        value = self.value(
            run_id=run_id,
            failure={"sentence": sentence, "exit_code": 5, "advice": ""},
            notes=["the CHECK c is broken by 2 rows (at id = s3cret; id = a) b): it stays", "a note"],
            losses=[{"table": "a", "column": "b", "reason": "zero", "count": 1, "examples": ["id = s3cret"]}],
            rejects=[{"table": "a", "column": "b", "reason": "r", "action": "null", "count": 1,
                      "message": "s3cret is no number", "examples": ['{"id": "s3cret"}']}],
        )  # fmt: skip
        kept = redacted(value, examples=False)
        for text in (str(kept), render_page(kept)):
            assert "s3c" not in text
            assert "--no-examples" in text
        assert "a note" in kept["notes"]
        assert "s3cret" in str(redacted(value, examples=True))

    def test_of_a_comparison_the_place_is_left(self) -> None:
        kept = redacted(self.value(), examples=False)["verification"]["differences"]
        assert kept[0] == {
            "kind": "cell", "table": "orders", "column": "note", "key": None, "source": None, "target": None,
        }  # fmt: skip

    def test_of_a_smoke_test_the_outcome_is_left(self) -> None:
        smoke = [{"name": "n", "kind": "sql", "passed": False, "expected": "s3c", "found": "s3c", "milliseconds": 1.0}]
        kept = redacted(self.value(smoke=smoke), examples=False)["smoke"]
        assert kept == [{**smoke[0], "expected": "", "found": "left out by --no-examples"}]

    def test_a_sentence_without_a_value_stays(self) -> None:
        kept = redacted(self.value(), examples=False)
        assert kept["failure"]["sentence"] == "the target db2.example:5432/athena refused to load rows: it shut down"

    def test_examples_are_shortened(self) -> None:
        value = self.value(
            losses=[{"table": "a", "column": None, "reason": "r", "count": 1, "examples": ["x" * 10_000]}],
            rejects=[{"message": "y" * 10_000, "examples": []}],
        )
        kept = redacted(value, examples=True)
        assert len(kept["losses"][0]["examples"][0]) == 80
        assert len(kept["rejects"][0]["message"]) == 400

    def test_a_short_text_stays(self) -> None:
        assert shorten("abc", 3) == "abc"
        assert shorten("abcdefghijkl", 8) == "abcde…kl"


def test_what_is_not_known_is_no_error() -> None:
    """A report without details, as a library user has it."""
    page = render_page(redacted({**REPORT.to_json(), "details": None, "search": ()}, examples=True))
    assert "passages" in page
    assert "Search quality" not in page
    assert "Search quality" in render_page(redacted(REPORT.to_json(), examples=True))
