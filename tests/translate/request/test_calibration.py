"""The calibration learns from the tokens that upstream reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tests.translate.rows import read
from tray_app.catalog import GLM_4_7
from tray_app.translate.request.calibration import LEAST_RATIO, MOST_RATIO, UNCALIBRATED, WINDOW, Calibration
from tray_app.translate.request.chat import to_chat


def learn(*ratios: float, known: Calibration = UNCALIBRATED) -> Calibration:
    """Returns the calibration after requests with these ratios of reported to estimated tokens."""
    for ratio in ratios:
        known = known.learn(10_000, round(10_000 * ratio))
    return known


def test_an_unknown_model_has_the_factor_one() -> None:
    assert UNCALIBRATED.factor == 1


@pytest.mark.parametrize("ratio", [0.6, 0.9, 1.1, 1.4])
def test_two_ratios_that_agree_set_the_factor(ratio: float) -> None:
    assert learn(ratio).factor == pytest.approx((1 + ratio) / 2)
    assert learn(ratio, ratio).factor == pytest.approx(ratio)


def test_the_factor_is_the_median_of_the_ratios() -> None:
    assert learn(1.18, 1.20, 1.22, 1.19, 1.21).factor == pytest.approx(1.195)


@pytest.mark.parametrize("place", range(WINDOW))
@pytest.mark.parametrize("odd", [0.01, 2.0, 100.0])
def test_one_odd_ratio_does_not_change_a_known_factor(place: int, odd: float) -> None:
    known = learn(*[1.2] * WINDOW)
    told = [1.2] * WINDOW
    told[place] = odd
    for ratio in told:
        known = learn(ratio, known=known)
        assert known.factor == pytest.approx(1.2)


def test_four_requests_change_the_factor_for_good() -> None:
    assert learn(*[1.2] * WINDOW, *[0.9] * 4).factor == pytest.approx(0.9)


@bounded
@given(st.lists(st.integers(1, 10**9)), st.floats(1, 10**6))
def test_a_factor_never_leaves_its_bounds(reported: list[int], estimated: float) -> None:
    known = UNCALIBRATED
    for tokens in reported:
        known = known.learn(estimated, tokens)
        assert LEAST_RATIO <= known.factor <= MOST_RATIO
        assert len(known.ratios) <= WINDOW


def test_learning_does_not_change_the_earlier_calibration() -> None:
    before = learn(1.2)
    learn(1.5, known=before)
    assert before == learn(1.2)


def test_a_known_model_is_left_more_room_to_answer() -> None:
    assert learn(1.0, 1.0).margin == UNCALIBRATED.margin > learn(1.0, 1.0, 1.0).margin > 1


def test_the_calibrated_estimate_is_reported_and_leaves_room_in_the_window() -> None:
    request = read(messages=[{"role": "user", "content": "word " * 80_000}], max_tokens=10**6)
    plain, known = to_chat(request, GLM_4_7), to_chat(request, GLM_4_7, learn(1.4, 1.4, 1.4))
    assert known.input_tokens == pytest.approx(1.4 * plain.input_tokens, rel=1e-4)
    assert known.estimate == plain.estimate, "learning goes by the estimate before calibration"
    for chat, margin in ((plain, 1.15), (known, 1.08)):
        assert chat.body["max_tokens"] == GLM_4_7.context_tokens - round(chat.input_tokens * margin)
