import numpy as np
from tests.synthetic.performer import CAMERA, OPENING, person, take, true_landmarks

from locutor.capture.stabilise import face_displacements, landmarks_in_head
from locutor.core.face import FACE_POINTS, LIP_GAP_ROWS, MOUTH_SLICE, RIGID


def test_the_head_pose_is_taken_out():
    done, someone = take(40), person()
    in_head = landmarks_in_head(
        true_landmarks(done), done.R_world_head, done.head_xyz, someone.mesh[list(RIGID)], CAMERA
    )
    expected = someone.mesh + done.openness[:, None, None] * someone.mesh_opening
    np.testing.assert_allclose(in_head, expected, atol=2e-3)


def test_displacements_are_those_of_the_mouth_alone():
    done, someone = take(40), person()
    in_head = landmarks_in_head(
        true_landmarks(done), done.R_world_head, done.head_xyz, someone.mesh[list(RIGID)], CAMERA
    )
    face = face_displacements(in_head, someone.mesh.astype(np.float32))
    assert face.shape == (40, len(FACE_POINTS), 2)
    upper, lower = LIP_GAP_ROWS
    np.testing.assert_allclose(face[:, lower, 1] - face[:, upper, 1], OPENING * done.openness, atol=2e-3)
    assert np.abs(np.delete(face, np.r_[MOUTH_SLICE], axis=1)).max() < 2e-3


def test_faces_whose_depth_the_detector_flattens_stay_about_the_head_s_origin():
    done, someone = take(10), person()
    flat = true_landmarks(done)
    flat[..., 2] *= 0.6
    in_head = landmarks_in_head(flat, done.R_world_head, done.head_xyz, someone.mesh[list(RIGID)], CAMERA)
    np.testing.assert_allclose(in_head[:, RIGID].mean(1)[:, 2], someone.mesh[list(RIGID)].mean(0)[2], atol=5e-3)
