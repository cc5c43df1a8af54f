import numpy as np
import pytest

from locutor.evaluate.figure import (
    Figure,
    Measured,
    as_good,
    correlation_of,
    difference,
    expected,
    figure,
    lag_of,
    lagged,
    mean,
    root_share,
    share,
    spread_share,
)


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def signal(n: int, seed: int) -> np.ndarray:
    return np.convolve(np.random.default_rng(seed).normal(size=n + 8), np.hanning(9), "valid")


def test_a_mean_leaves_out_what_is_not_a_number():
    f = figure(Measured(column(1, 2, np.nan, 3), mean))
    assert (f.value, f.n) == (2, 3)
    assert f.low <= f.value <= f.high


def test_nothing_measured_is_no_figure():
    for empty in (np.zeros((0, 1)), np.full((5, 1), np.nan)):
        f = figure(Measured(empty, mean))
        assert np.isnan([f.value, f.low, f.high]).all()
        assert f.n == 0


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        f = figure(Measured(rng.normal(5, 1, (200, 1)), mean))
        held += f.low <= 5 <= f.high
    assert held >= 50  # 57 on average


def test_blocks_make_the_interval_of_slow_signals_wider():
    rng = np.random.default_rng(0)
    white = rng.normal(size=400)
    slow = np.repeat(rng.normal(size=40), 10)
    widths = [figure(Measured((x / x.std())[:, None], mean)) for x in (white, slow)]
    assert widths[1].high - widths[1].low > 2 * (widths[0].high - widths[0].low)


def test_shares():
    pairs = np.array([[1.0, 2.0], [3.0, 6.0], [np.nan, 1.0]])
    assert figure(Measured(pairs, share)).value == 2
    assert figure(Measured(pairs, root_share)).value == pytest.approx(np.sqrt(2))
    a = signal(50, 0)
    assert figure(Measured(np.stack([a, 3 * a + 1], 1), spread_share)).value == pytest.approx(3)
    assert figure(Measured(np.zeros((4, 2)), share)).value == 0


def test_correlation_of_what_hardly_moves_is_nothing():
    a = signal(100, 0)
    assert figure(Measured(np.stack([a, -2 * a], 1), correlation_of)).value == pytest.approx(-1)
    assert figure(Measured(np.stack([a, 0.01 * a], 1), correlation_of)).value == 0


@pytest.mark.parametrize("late", [-7, 0, 5])
def test_lag(late):
    long = signal(140, 1)
    f = figure(Measured(lagged(long[20:120], long[20 - late : 120 - late]), lag_of))
    assert (f.value, f.low, f.high) == (late, late, late)
    assert np.isnan(figure(Measured(lagged(long[20:120], np.zeros(100)), lag_of)).value)


def test_a_difference_is_drawn_from_the_same_frames():
    noise = np.random.default_rng(0).normal(0, 10, 100)
    a, b = Measured(noise[:, None], mean), Measured(noise[:, None] + 0.1, mean)
    f = difference(b, a)
    assert (f.value, f.low, f.high) == pytest.approx((0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="100 and 99"):
        difference(a, Measured(noise[1:, None], mean))


def test_beating_needs_both_intervals():
    low, high = Figure(1.0, 0.5, 1.5, 9), Figure(2.0, 1.6, 3.0, 9)
    assert high.beats(low, more_is_better=True)
    assert low.beats(high, more_is_better=False)
    assert not high.beats(Figure(1.0, 0.0, 1.7, 9), more_is_better=True)


def test_chance_is_the_mean_of_its_ways_and_surer_than_each():
    rng = np.random.default_rng(1)
    ways = [Measured(rng.normal(0.5, 1, (200, 1)), mean) for _ in range(20)]
    chance, widths = expected(ways), [f.high - f.low for f in map(figure, ways)]
    assert chance.value == pytest.approx(np.mean([way.columns.mean() for way in ways]))
    assert chance.low < chance.value < chance.high
    assert chance.high - chance.low < 0.4 * np.mean(widths)
    assert chance.n == 200


def test_what_all_ways_share_stays_unsure():
    """Which frames a clip has does not become surer by more rolls."""
    column = np.random.default_rng(2).normal(0, 1, (200, 1))
    chance, one = expected([Measured(column, mean)] * 20), figure(Measured(column, mean))
    assert chance.high - chance.low == pytest.approx(one.high - one.low, rel=0.3)


def test_a_way_without_a_figure_does_not_count():
    nothing = Measured(np.full((50, 1), np.nan), mean)
    assert expected([nothing, Measured(np.ones((50, 1)), mean)]).value == 1
    assert np.isnan(expected([nothing, nothing]).value)


def test_as_good_counts_the_ways_that_reach_it():
    ways = [Measured(np.full((9, 1), float(k)), mean) for k in range(10)]
    seven = Measured(np.full((9, 1), 7.0), mean)
    assert as_good(seven, ways, more_is_better=True) == pytest.approx(0.3)
    assert as_good(seven, ways, more_is_better=False) == pytest.approx(0.8)
