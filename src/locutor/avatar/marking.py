"""The mark of one avatar."""

from locutor.avatar.avatar import Avatar
from locutor.provenance.config import MARKED, MarkConfig
from locutor.provenance.mark import Mark, Source, make_mark


def mark_of(avatar: Avatar, config: MarkConfig = MARKED, source: Source = Source.TRAINED) -> Mark:
    """What every video of this avatar carries: its id, the id of the consent, the kind of media.

    Raises:
        MarkError, OutputError: there is nothing to sign with, as `provenance.certificate.find_credential` says.
    """
    consent = avatar.provenance.consent
    return make_mark(config, avatar.id, consent.id if consent else None, source)
