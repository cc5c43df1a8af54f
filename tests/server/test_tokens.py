import pytest

from locutor.server.rate import MOST_ADDRESSES, Bucket, Buckets
from locutor.server.tokens import LONGEST_S, is_good, make_pass

TOKEN = "the owner's token"


def test_the_token_opens_and_nothing_else_does():
    assert is_good(TOKEN, TOKEN)
    for wrong in (None, "", TOKEN + "x", TOKEN[:-1], "pass.", "pass.99999999999.", "pass.x.y", "pass.٣.a", "ü"):
        assert not is_good(wrong, TOKEN)
    assert is_good(None, "")


def test_a_pass_opens_until_it_ends():
    given = make_pass(TOKEN, 60.0, now_s=1000.0)
    assert is_good(given, TOKEN, now_s=1059.0)
    assert not is_good(given, TOKEN, now_s=1060.0)
    assert not is_good(given, "another token", now_s=1001.0)


@pytest.mark.parametrize("change", [lambda p: p.replace("pass.1060", "pass.9060"), lambda p: p[:-1] + "g"])
def test_a_pass_cannot_be_prolonged(change):
    assert not is_good(change(make_pass(TOKEN, 60.0, now_s=1000.0)), TOKEN, now_s=1001.0)


def test_no_pass_lasts_for_ever():
    given = make_pass(TOKEN, 1e12, now_s=0.0)
    assert not is_good(given, TOKEN, now_s=float(LONGEST_S))


def test_a_bucket():
    bucket = Bucket(per_s=2.0, burst=3.0, now_s=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert sum(bucket.take(100.0) for _ in range(9)) == 3


def test_addresses_do_not_pile_up():
    buckets = Buckets(1.0, 1.0)
    assert buckets.take("a", 0.0)
    assert not buckets.take("a", 0.0)
    for k in range(MOST_ADDRESSES + 5):
        buckets.take(str(k), 0.0)
    assert len(buckets._buckets) == MOST_ADDRESSES
