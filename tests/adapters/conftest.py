from tests.synthetic.fixtures import avatar_file, performance, speaking_avatar

__all__ = ["avatar_file", "performance", "speaking_avatar"]
