"""The synthetic performance and its avatar."""

from tests.synthetic.fixtures import performance, speaking_avatar

__all__ = ["performance", "speaking_avatar"]
