"""The record of consent: validated when it comes in, and asked before anything is made with it."""

import datetime
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.provenance.conftest import agreed, write_film

from locutor.core.errors import ConsentError, MediaError
from locutor.provenance.config import MarkConfig
from locutor.provenance.consent import Consent, parse_consent, read_consent, template
from locutor.provenance.revocation import require_consent, revoke, revoked_on

TODAY = datetime.date(2026, 11, 21)


def test_a_record_goes_out_and_in():
    consent = agreed()
    assert Consent.from_record(json.loads(json.dumps(consent.as_record())), "x") == consent
    assert len(consent.id) == 16
    assert consent.id == agreed(revoked_on=TODAY).id
    assert consent.id != agreed(scope="anything").id


def test_the_template_is_a_record():
    parse_consent(template().encode(), "x").check("x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"person": ""}, "'person' says nothing"),
        ({"person": 3}, "'person' says nothing"),
        ({"scope": "x" * 20_000}, "longer than"),
        ({"given_on": None}, "'given_on' says nothing"),
        ({"given_on": "yesterday"}, "'given_on' is not a day"),
        ({"expires_on": 2027}, "'expires_on' is not a day"),
        ({"expires_on": "2000-01-01"}, "before it was given"),
        ({"clip_sha256": "abc"}, "64 hexadecimal"),
        ({"allow_expired": True}, "'allow_expired' is not a field"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(ConsentError, match=message):
        Consent.from_record(agreed().as_record() | change, "me.json")


@pytest.mark.parametrize("name", ["person", "given_on", "scope", "expires_on", "revocation_contact"])
def test_what_is_missing_is_named(name):
    record = agreed().as_record()
    del record[name]
    with pytest.raises(ConsentError, match=f"'{name}' is missing"):
        Consent.from_record(record, "me.json")


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.dictionaries(st.text(), c)))
def test_anything_else_is_a_typed_error(value):
    with pytest.raises(ConsentError):
        Consent.from_record(value, "me.json")


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_record(data):
    with pytest.raises(ConsentError):
        parse_consent(data, "me.json")


def test_deep_nesting_is_refused():
    with pytest.raises(ConsentError, match="not JSON"):
        parse_consent(b"[" * 100_000, "me.json")


def test_it_stands_up_to_its_last_day():
    consent = agreed(given_on=TODAY, expires_on=TODAY)
    consent.check("x", TODAY)
    with pytest.raises(ConsentError, match="expired on 2026-11-21"):
        consent.check("x", TODAY + datetime.timedelta(days=1))
    with pytest.raises(ConsentError, match="begins on"):
        consent.check("x", TODAY - datetime.timedelta(days=1))
    with pytest.raises(ConsentError, match="was revoked on"):
        agreed(revoked_on=TODAY).check("x")
    agreed(given_on=TODAY, expires_on=None).check("x", TODAY + datetime.timedelta(days=99_999))


def test_revoked_here_is_refused_here(own_data):
    consent = agreed()
    require_consent(consent, "x")
    require_consent(None, "x")
    revoke(consent)
    revoke(consent)
    assert (own_data / "revoked").read_text().count("\n") == 1
    assert revoked_on(consent) == datetime.datetime.now(datetime.UTC).date()
    with pytest.raises(ConsentError, match="was revoked"):
        require_consent(consent, "x")
    require_consent(agreed(person="Another"), "x")


def test_a_damaged_list_still_revokes(own_data):
    revoke(agreed())
    (own_data / "revoked").write_bytes(b"\xff\xfe\n" + agreed().id.encode() + b" some day\n")
    with pytest.raises(ConsentError, match="was revoked"):
        require_consent(agreed(), "x")


def test_a_clip_has_its_record_beside_it(tmp_path):
    clip = write_film(tmp_path / "yes.mp4", MarkConfig(mark=False))
    with pytest.raises(ConsentError, match="must stand beside it"):
        read_consent(clip)
    (tmp_path / "yes.json").write_text(json.dumps(agreed().as_record()))
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    assert read_consent(clip) == agreed(clip_sha256=sha256)
    assert read_consent(tmp_path / "yes.json") == agreed()
    (tmp_path / "yes.json").write_text(json.dumps(agreed(clip_sha256="0" * 64).as_record()))
    with pytest.raises(ConsentError, match="another clip"):
        read_consent(clip)


def test_places_without_a_record(tmp_path):
    with pytest.raises(ConsentError, match="there is no"):
        read_consent(tmp_path / "me.json")
    with pytest.raises(ConsentError, match="there is no clip"):
        read_consent(tmp_path / "me.mp4")
    (tmp_path / "me.json").write_text(json.dumps(agreed().as_record()))
    (tmp_path / "me.mp4").write_text("no film")
    with pytest.raises(MediaError):
        read_consent(tmp_path / "me.mp4")
    (tmp_path / "huge.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(ConsentError, match="larger than"):
        read_consent(tmp_path / "huge.json")
