import numpy as np
from tests.synthetic.performer import take, true_landmarks

from locutor.capture.performance import Performance
from locutor.evaluate.masks import CHIN, N_MESH, find_masks


def test_parts_of_the_synthetic_person(performance: Performance):
    landmarks = performance.tracking.landmarks[3]
    masks = find_masks(performance.matte(3), landmarks)
    assert 0 < masks.skin.sum() < masks.person.sum() < masks.person.size
    for part in (masks.skin, masks.hair, masks.torso):
        assert not (part & ~masks.person).any()
    assert not (masks.skin & masks.hair).any()
    assert not (masks.background & masks.person).any()
    parts = masks.skin.astype(int) + masks.hair + masks.torso
    assert (parts[masks.person] == 1).mean() > 0.95  # the rest is the face's own lower edge
    assert np.flatnonzero(masks.torso.any(1)).min() > landmarks[CHIN, 1]
    assert landmarks[:N_MESH, 1].min() > np.flatnonzero(masks.hair.any(1)).min() - 1


def test_without_a_person_all_is_background():
    masks = find_masks(np.zeros((64, 64), np.uint8), true_landmarks(take())[0])
    assert masks.background.all()
    assert not masks.person.any()
