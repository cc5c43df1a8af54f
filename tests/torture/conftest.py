"""The synthetic performance."""

from tests.synthetic.fixtures import performance

__all__ = ["performance"]
