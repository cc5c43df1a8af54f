"""The synthetic performance, and a stand-in for gsplat."""

from tests.synthetic.fake_gsplat import fake_gsplat
from tests.synthetic.fixtures import performance, speaking_avatar

__all__ = ["fake_gsplat", "performance", "speaking_avatar"]
