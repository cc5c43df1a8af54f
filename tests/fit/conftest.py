"""The synthetic performance, a stand-in for gsplat, and how the synthetic mesh follows the controls."""

import pytest
from tests.synthetic.fake_gsplat import fake_gsplat
from tests.synthetic.fixtures import performance, speaking_avatar

from locutor.avatar.controls import ControlSpace, fit_controls
from locutor.capture.performance import Performance
from locutor.fit.mesh_motion import MeshMotion, fit_mesh_motion

__all__ = ["fake_gsplat", "performance", "speaking_avatar"]


@pytest.fixture(scope="session")
def control_space(performance: Performance) -> ControlSpace:
    tracking = performance.tracking
    return fit_controls(tracking.motion[: performance.n_train], tracking.reference_wxyz, tracking.reference_xyz)


@pytest.fixture(scope="session")
def mesh_motion(performance: Performance, control_space: ControlSpace) -> MeshMotion:
    return fit_mesh_motion(performance, control_space, 24)
