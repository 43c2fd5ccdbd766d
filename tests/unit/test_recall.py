"""The statistics of searches: ties are equally right, percentiles are values that occurred."""

from __future__ import annotations

import random

import pytest

from vecferry.recall import percentile, recall, slack, smallest_reaching
from vecferry.steps.search_quality import perturbed


class TestRecall:
    def test_a_share_of_the_nearest(self) -> None:
        assert recall([0.1, 0.2, 0.9, 0.9], [0.1, 0.2, 0.3, 0.4], 4, "l2", 3) == 0.5

    def test_only_the_first_k_of_both_count(self) -> None:
        exact = [float(i) for i in range(100)]
        assert recall(exact, exact, 10, "l2", 3) == 1.0
        assert recall([0.0, 1.0], exact, 10, "l2", 3) == 0.2

    def test_another_vector_at_the_same_distance_is_as_right(self) -> None:
        assert recall([0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], 3, "l2", 3) == 1.0

    def test_more_ties_than_k_are_not_more_than_all(self) -> None:
        assert recall([0.0] * 10, [0.0] * 3, 10, "cosine", 3) == 1.0

    def test_a_small_table_has_fewer_nearest(self) -> None:
        assert recall([0.1, 0.2], [0.1, 0.2], 10, "l2", 3) == 1.0

    def test_nothing_to_find(self) -> None:
        assert recall([], [], 10, "l2", 3) is None
        assert recall([], [0.1], 10, "l2", 3) == 0.0

    def test_inner_products_are_negative(self) -> None:
        assert recall([-9.0, -8.0, -1.0], [-9.0, -8.0, -7.0], 3, "ip", 3) == pytest.approx(2 / 3)


class TestSlack:
    def test_cosine_grows_with_the_sum_that_is_rounded(self) -> None:
        assert slack("cosine", 3, 0.0) == 1e-6
        assert 1e-6 < slack("cosine", 1536, 0.0) < 1e-5

    def test_tiny_vectors_are_not_all_ties(self) -> None:
        assert slack("l2", 1536, 1e-7) < 1e-12
        assert recall([3e-7], [1e-7], 1, "l2", 1536) == 0.0


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(value) for value in range(1, 21)]
    assert percentile(values, 0.5) == 10
    assert percentile(values, 0.95) == 19
    assert percentile([7.0], 0.95) == 7
    assert percentile([2.0, 1.0], 1.0) == 2


def test_the_smallest_setting_is_enough_for_every_kind_and_all_larger_ones() -> None:
    recalls = {10: [0.99, 0.99], 40: [0.99, 0.94], 100: [0.96, 0.97], 200: [1.0, 1.0]}
    assert smallest_reaching(recalls, 0.95) == 100
    assert smallest_reaching(recalls, 0.99) == 200
    assert smallest_reaching({10: [0.5], 40: [0.6]}, 0.95) is None
    assert smallest_reaching({}, 0.95) is None


def test_noise_has_the_length_that_was_asked_for_and_is_the_same_each_time() -> None:
    vector = "[" + ",".join(["3"] * 1000) + "]"
    text = perturbed(vector, 0.1, random.Random(1))
    values = [float(value) for value in text[1:-1].split(",")]
    length = sum((value - 3) ** 2 for value in values) ** 0.5
    assert length / (3 * 1000**0.5) == pytest.approx(0.1, rel=0.1)
    assert text == perturbed(vector, 0.1, random.Random(1))
    assert text != perturbed(vector, 0.1, random.Random(2))
