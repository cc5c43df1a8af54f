import numpy as np
import pytest

from locutor.actors.beanie import beanie
from locutor.actors.generators import GENERATORS
from locutor.actors.lighting import studio_light
from locutor.actors.look import BACKDROPS, HAIR_STYLES, PALETTES, cast


def test_every_variant_comes_with_a_seed_as_documented():
    looks = [cast(seed) for seed in range(60)]
    for seed, look in enumerate(looks):
        assert look.hair_style == HAIR_STYLES[seed % 6]
        assert (look.beard == "full") == (seed % 5 == 3)
        assert (look.glasses is not None) == (seed % 4 == 1)
    assert {look.backdrop for look in looks} == set(BACKDROPS)


def test_twenty_people_differ_in_skin_hair_clothes_and_light():
    looks = [cast(seed) for seed in range(20)]
    assert len({look.complexion.skin for look in looks}) >= 5
    assert len({look.complexion.hair for look in looks}) >= 4
    assert len({look.yarn for look in looks}) >= 4
    assert len({look.lamp for look in looks}) == 20
    sides = [look.lamp[0] > 0 for look in looks]
    assert 3 <= sum(sides) <= 17


def test_the_same_seed_is_the_same_person_and_the_generators_share_nothing():
    assert cast(3) == cast(3)
    assert set(PALETTES) == set(GENERATORS)
    assert cast(3, GENERATORS["B"]) != cast(3)
    a, b = PALETTES["A"], PALETTES["B"]
    for name in ("skins", "irises", "hairs", "frames", "yarns", "walls"):
        assert not set(getattr(a, name)) & set(getattr(b, name)), name
    for low, high in b.lamp_sides:
        assert all(high <= other_low or low >= other_high for other_low, other_high in a.lamp_sides)
    assert a.lamp_heights[0] >= b.lamp_heights[1]
    assert a.pores[0] > b.pores[1]


def test_the_key_lamp_stands_where_it_is_told():
    right, warm = studio_light(40.0, 30.0, 1.0, 0.5), studio_light(-40.0, 30.0, 1.0, 0.5)
    assert right.key[0] > 0.3 > -0.3 > warm.key[0]
    assert right.key[1] < -0.4  # above
    assert right.key[2] < 0  # on the camera's side
    assert warm.key_colour[0] > warm.key_colour[2]
    assert np.linalg.norm(right.key) == pytest.approx(1)


def test_a_beanie_covers_the_crown_from_outside(coded_rig):
    cap = beanie(coded_rig, coded_rig.neutral, 0)
    crown = coded_rig.neutral[coded_rig.neutral[:, 1] < -12]
    assert cap.vertices[:, 1].min() < crown[:, 1].min() - 0.5
    outward = (cap.normals * (cap.vertices - cap.vertices.mean(0))).sum(1)
    assert (outward > 0).mean() > 0.9
    front = cap.patch.triangles
    corners = cap.vertices[front]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((face * cap.normals[front].mean(1)).sum(1) > 0).mean() > 0.9
