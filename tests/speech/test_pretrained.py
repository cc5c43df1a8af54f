import json
import sys

import numpy as np
import pytest
import torch

from locutor.core.errors import FormatError, MissingPartError
from locutor.speech.pretrained import PretrainedEncoder, WindowConfig

SIZE, RATE = 16, 16_000


def _tiny(folder, kind):
    """A random model of a few kilobytes with the usual convolutions."""
    transformers = pytest.importorskip("transformers")
    of_kind = {"hubert": "Hubert", "wav2vec2": "Wav2Vec2"}[kind]
    config = getattr(transformers, of_kind + "Config")(
        hidden_size=SIZE, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, vocab_size=8,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    torch.manual_seed(0)
    getattr(transformers, of_kind + "Model")(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["hubert", "wav2vec2"])
def folder(request, tmp_path_factory):
    return _tiny(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 9_999).astype(np.float32)


@pytest.mark.parametrize("chunk", [320, 777, 9_000])
def test_any_chunking_equals_whole(folder, sound, chunk):
    encoder = PretrainedEncoder(folder, window=WindowConfig(block=3, past_s=0.3))
    whole, state, parts = encoder.whole(sound), encoder.init(), []
    for start in range(0, len(sound), chunk):
        state, frames = encoder.step(state, sound[start : start + chunk])
        parts.append(frames)
    parts.append(encoder.finish(state))
    assert whole.shape == (-(-len(sound) // 320), encoder.size) == (32, SIZE)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    assert whole.std(axis=0).min() > 1e-3


def test_look_ahead_is_what_it_says(folder, sound):
    window = WindowConfig()
    assert window.look_ahead_s <= 0.12
    encoder = PretrainedEncoder(folder, window=window)
    whole, changed = encoder.whole(sound), sound.copy()
    needed = 320 * 10 + round(window.look_ahead_s * RATE)  # of frame 10, the first of its block
    changed[needed:] = 0
    other = encoder.whole(changed)
    np.testing.assert_array_equal(other[:11], whole[:11])
    assert np.abs(other[12:] - whole[12:]).max() > 1e-3


def test_layers_and_loudness(folder, sound):
    first, last = (PretrainedEncoder(folder, layer).whole(sound[:3000]) for layer in (0, -1))
    assert np.abs(first - last).max() > 1e-2
    quieter = PretrainedEncoder(folder).whole(sound[:3000] * np.float32(0.1))
    np.testing.assert_allclose(quieter[3:], last[3:], atol=1e-3)
    with pytest.raises(FormatError, match="3 layers"):
        PretrainedEncoder(folder, 3)


def test_folders_that_hold_no_model(tmp_path, folder):
    with pytest.raises(FormatError, match="holds no HuBERT"):
        PretrainedEncoder(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(FormatError, match="holds no HuBERT"):
        PretrainedEncoder(tmp_path)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(FormatError, match="holds no HuBERT"):  # its weights are not there
        PretrainedEncoder(tmp_path)


def test_without_transformers(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPartError, match="transformers"):
        PretrainedEncoder(tmp_path)
