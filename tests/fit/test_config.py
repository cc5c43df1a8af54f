from dataclasses import asdict, replace

import pytest

from locutor.fit.config import PRESETS, TrainConfig


def test_a_preset_fills_what_was_left_open():
    config = TrainConfig(preset="fast", n_bases=5)
    n_gaussians, n_mouth, _, n_iterations = PRESETS["fast"]
    assert (config.n_gaussians, config.n_mouth, config.n_bases) == (n_gaussians, n_mouth, 5)
    assert config.n_iterations == n_iterations
    assert TrainConfig() == TrainConfig(preset="default")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_configuration_survives_its_record(preset):
    config = TrainConfig(preset=preset, n_iterations=77)
    assert TrainConfig(**asdict(config)) == config == replace(config)


def test_presets_grow():
    fast, default, best = (TrainConfig(preset=name) for name in ("fast", "default", "best"))
    assert fast.n_iterations < default.n_iterations < best.n_iterations
    assert fast.n_gaussians < default.n_gaussians < best.n_gaussians
