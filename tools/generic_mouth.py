"""What a mouth does for the encoder's controls when nothing is known of the person: `drive/generic_mouth.npz`.

    LOCUTOR_MODELS=... python tools/generic_mouth.py CORPUS.npz

`displacement`: how the landmarks of the mean person of the ICT-FaceKit rig (of the procedural one without it) follow
each mouth control of a performer by itself.

`spoken`, `rest`: how the mouth follows the controls that the encoder hears. Performers part the lips for a rounded
vowel nearly as for an open one and close them in every pause; people do neither. So each class of sounds has the shape
of generator A with the lips parted as `APERTURES` says, the shapes blur into each other over 40 ms, and a ridge
regression brings the controls heard in the corpus (of `speech_corpus.py`, synthesised) to them, where something is
said: pauses are left to the gate. Nobody's footage is in it. `shapes` are the classes' own, for texts whose phonemes
are known. Mean (of speech) and spread of the lip gap are those of `displacement` on the same sound.

`opening`: the lip gap that each control of `spoken` makes. `usual_controls`, `usual_spread`: mean of the controls heard
in that speech, and standard deviation of the lip gap that they make (`drive/usual_opening.py`). `reference_controls`,
`reference_closure`: some frames of that speech as strange voices are brought to, and the probability of p, b, m there:
by them the opening of a person is matched (`drive/voice_fit.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from locutor.actors.channels import expression_weights, sided
from locutor.actors.generators import GENERATORS
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.landmark_table import landmark_table
from locutor.actors.mouth_shapes import CONTROLS
from locutor.actors.procedural_rig import procedural_rig
from locutor.core.face import FACE_POINTS, MOUTH_SLICE, OUTER_EYE_CORNERS
from locutor.drive.usual_opening import UsualOpening, levelled
from locutor.drive.voice import lip_gap
from locutor.speech import encoder
from locutor.speech.level import Leveller
from locutor.speech.phonetic_classes import CLASSES
from locutor.speech.phonetic_network import STRIDE
from train_encoder import Corpus

OUT = Path(__file__).resolve().parents[1] / "src/locutor/drive/generic_mouth.npz"
WEIGHT = 0.5  # of each control: the middle of its range
APERTURES = {
    "p b": 0.0, "m": 0.0, "f v": 0.1, "w": 0.1, "sh zh": 0.35, "s z": 0.3, "t d": 0.35, "n": 0.4, "l": 0.5, "th": 0.45,
    "k g": 0.45, "h x": 0.55, "r": 0.4, "rhotic": 0.3, "i": 0.45, "e": 0.65, "a": 0.95, "open": 0.85, "schwa": 0.5,
    "o": 0.45, "u": 0.15, "y": 0.15,
}  # fmt: skip
"""Height of the opening between the lips as a part of the widest: open vowels widest, rounded ones narrow, consonants
by place and manner. Written down from general phonetic knowledge, not measured and not fitted."""
WIDEST = 0.12  # inter-ocular units; only in proportion to the shapes' other movements
BLUR_FRAMES = 2.0  # of the encoder, 20 ms; the controls run ahead of the sound by themselves
RIDGE = 5e-3
N_CLIPS = 60
N_REFERENCE = 1000  # frames of speech by which a person's opening is matched
LIPS_MEET = [k for k, (name, _) in enumerate(CLASSES) if name in ("p b", "m")]


def main() -> None:
    displacement = _displacements()
    classes, controls, closure, clips = _heard(Corpus(sys.argv[1:]))
    shapes = _class_shapes(displacement)
    target = gaussian_filter1d(shapes[classes], BLUR_FRAMES, axis=0)
    said = classes != 0
    controls = (controls + np.roll(controls, 1, axis=0)) / 2  # as `Heard.controls`
    heard, wanted = controls[said], target[said].reshape(said.sum(), -1)
    centred = heard - heard.mean(axis=0)
    gram = centred.T @ centred + RIDGE * len(heard) * np.eye(len(CONTROLS), dtype=np.float32)
    spoken = np.linalg.solve(gram, centred.T @ (wanted - wanted.mean(axis=0))).reshape(displacement.shape)
    performed, moved = (np.tensordot(controls, table, axes=1) for table in (displacement, spoken))
    scale = lip_gap(performed).std() / lip_gap(moved).std()
    rest = performed[said].mean(axis=0) - scale * moved[said].mean(axis=0)
    for name, shape in zip(CONTROLS, scale * spoken, strict=True):
        print(f"{name}: lip gap {lip_gap(shape):+.3f}")
    mean = wanted.mean(axis=0).reshape(rest.shape)
    of_classes = performed[said].mean(axis=0) + scale * (shapes - mean)
    opening = lip_gap(scale * spoken)
    known = {"opening": opening, "usual_controls": heard.mean(axis=0), "usual_spread": (centred @ opening).std()}
    usual = UsualOpening(known)
    followed = np.concatenate(
        [usual.step(usual.init(), controls[clips == k], said[clips == k])[1] for k in range(clips.max() + 1)]
    )
    some = np.random.default_rng(1).permutation(np.flatnonzero(said))[:N_REFERENCE]
    arrays = known | {
        "displacement": displacement, "spoken": scale * spoken, "rest": rest, "shapes": of_classes,
        "reference_controls": levelled(controls, followed, heard.mean(axis=0))[some],
        "reference_closure": np.maximum(closure, np.roll(closure, -1))[some],
    }  # fmt: skip
    np.savez_compressed(
        OUT, names=np.array(CONTROLS), **{name: np.asarray(a, np.float32) for name, a in arrays.items()}
    )


def _displacements() -> Float32[ndarray, "11 58 2"]:
    """Of the mouth landmarks, inter-ocular units, by each control at weight 1."""
    folder = find_ict_folder()
    rig = load_rig(folder) if folder else procedural_rig()
    table = landmark_table(rig)
    points = list(FACE_POINTS)
    neutral = table.points(rig.neutral)
    right, left = neutral[list(OUTER_EYE_CORNERS)]
    unit = float(np.linalg.norm(left - right))
    moved = []
    for name in CONTROLS:
        weights = expression_weights(sided({name: np.full(1, WEIGHT)}), 1)[0]
        change = (table.points(rig.deformed(rig.neutral, weights)) - neutral) / (unit * WEIGHT)
        moved.append(change[points][MOUTH_SLICE, :2])
    return np.stack(moved).astype(np.float32)


def _class_shapes(displacement: Float32[ndarray, "11 58 2"]) -> Float32[ndarray, "23 58 2"]:
    """The mean shape of each class's sounds, its lips parted by its aperture; silence is never asked for alone."""
    table = GENERATORS["A"].visemes
    closing = displacement[CONTROLS.index("mouthClose")]
    closing = closing / lip_gap(closing)
    found = []
    for name, letters in CLASSES:
        weights = [[table[x].shape.get(control, 0.0) for control in CONTROLS] for x in letters if x in table]
        shape = np.tensordot(np.mean(weights or np.zeros((1, len(CONTROLS))), axis=0), displacement, axes=1)
        found.append(shape + (WIDEST * APERTURES.get(name, 0.0) - lip_gap(shape)) * closing)
    found[0] = np.average(found[1:], axis=0)  # the mouth of no sound in particular
    return np.stack(found).astype(np.float32)


def _heard(
    corpus: Corpus,
) -> tuple[Int[ndarray, " T"], Float32[ndarray, "T 11"], Float32[ndarray, " T"], Int[ndarray, " T"]]:
    """Classes that are said; controls and probability of p, b, m that the encoder hears; number of the clip.

    50 times a second, a silence between the clips.
    """
    network, prior_mel = encoder._load()
    spans = list(zip([0, *corpus.ends[:-1]], corpus.ends, strict=True))
    classes, controls, closure = [], [], []
    for k in np.random.default_rng(0).permutation(len(spans))[:N_CLIPS]:
        start, end = spans[k]
        leveller = Leveller(prior_mel)
        mel = leveller.step(leveller.init(), corpus.mel[start:end].astype(np.float32))[1]
        with torch.no_grad():
            _, out = network(network.init(), torch.from_numpy(mel)[None])
        of_clip = out.controls[0].numpy().clip(0, 1)
        classes.append(np.pad(corpus.classes[start:end:STRIDE][: len(of_clip)], (0, 10)))
        controls.append(np.pad(of_clip, ((0, 10), (0, 0)), mode="edge"))
        closure.append(np.pad(torch.softmax(out.logits[0], dim=1)[:, LIPS_MEET].sum(dim=1).numpy(), (0, 10)))
    clips = np.repeat(np.arange(len(classes)), [len(of_clip) for of_clip in classes])
    return np.concatenate(classes).astype(int), np.concatenate(controls), np.concatenate(closure), clips


if __name__ == "__main__":
    main()
