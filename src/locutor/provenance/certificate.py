"""With what a video is signed: the user's certificate, or one made on first use, which nobody vouches for."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from locutor.core.errors import MarkError, OutputError
from locutor.core.files import atomic_path, make_folder
from locutor.provenance.places import data_folder

CERT_VARIABLE, KEY_VARIABLE = "LOCUTOR_SIGN_CERT", "LOCUTOR_SIGN_KEY"
SELF_MADE = "locutor, self-made, untrusted"
_SELF_MADE_FILE = "signing.pem"  # key and certificates in one file, so that a kill cannot part them
_DAYS = 10 * 365
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Credential:
    """What a signature is made with.

    Attributes:
        chain: certificates in PEM, the signer's first.
        key: its private key in PEM (PKCS #8).
        algorithm: C2PA's name of it, such as es256.
        self_made: nobody but this machine vouches for it.
    """

    chain: bytes
    key: bytes
    algorithm: str
    self_made: bool

    def __repr__(self) -> str:
        return f"Credential({self.algorithm}, self_made={self.self_made})"  # the key stays out of every log


def find_credential(cert: Path | None = None, key: Path | None = None) -> Credential:
    """The user's certificate and key (PEM) from the arguments, else from `$LOCUTOR_SIGN_CERT` and
    `$LOCUTOR_SIGN_KEY`, else the self-made one of this user.

    Raises:
        MarkError: one of the two is missing, they cannot be read, or they do not belong together.
        OutputError: the self-made one cannot be written.
    """
    cert = cert or _from_environment(CERT_VARIABLE)
    key = key or _from_environment(KEY_VARIABLE)
    if cert is None and key is None:
        return _self_made()
    if cert is None or key is None:
        raise MarkError(
            "signing takes a certificate and its key", f"give both, or neither ({CERT_VARIABLE}, {KEY_VARIABLE})"
        )
    try:
        return _checked(cert.read_bytes(), key.read_bytes(), f"{cert} and {key}", self_made=False)
    except OSError as error:
        raise MarkError(f"{error.filename} cannot be read ({error.strerror})", "check name and permissions") from error


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _checked(chain: bytes, key: bytes, where: str, self_made: bool) -> Credential:
    """Refuse what the C2PA library would refuse less clearly."""
    do = "give a certificate chain in PEM, the signer's first, and its key in PEM without a password"
    try:
        certificates = x509.load_pem_x509_certificates(chain)
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MarkError(f"{where} cannot be used for signing ({error})", do) from error
    leaf = certificates[0]
    if leaf.public_key() != private.public_key():
        raise MarkError(f"{where} do not belong together", do)
    if leaf.not_valid_after_utc < datetime.datetime.now(datetime.UTC):
        raise MarkError(f"the certificate of {where} expired on {leaf.not_valid_after_utc.date()}", "renew it")
    pem = serialization.Encoding.PEM
    return Credential(
        b"".join(certificate.public_bytes(pem) for certificate in certificates),  # and nothing else the file holds
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        _algorithm(private, where),
        self_made,
    )


def _algorithm(key: object, where: str) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise MarkError(f"{where}: this kind of key cannot sign", "use ECDSA P-256, P-384, P-521, Ed25519 or RSA")


def _self_made() -> Credential:
    path = data_folder() / _SELF_MADE_FILE
    do = f"make that folder writable, give your own certificate ({CERT_VARIABLE}, {KEY_VARIABLE}), or use --no-mark"
    try:
        if not path.is_file():
            make_folder(path.parent)
            with atomic_path(path, wait=True) as part:
                if not path.is_file():  # else another process made it while we waited
                    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                        file.write(_make())
                else:
                    part.write_bytes(path.read_bytes())
                    part.chmod(0o600)
        data = path.read_bytes()
    except OutputError as error:
        raise OutputError(f"no signing key can be kept: {error.what}", do) from error
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror})", do) from error
    try:
        return _checked(data, data, str(path), self_made=True)
    except MarkError as error:
        raise MarkError(error.what, f"remove {path}; a new one is made") from error


def _make() -> bytes:
    """A key, its certificate, and the certificate of the authority that signed it and is forgotten at once.

    Two certificates, because the C2PA profile does not take one that signs itself (C2PA 2.2, section 14.5).
    """
    authority, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("authority", authority, authority, is_authority=True)
    leaf = _certificate("signer", signer, authority, is_authority=False)
    pem = serialization.Encoding.PEM
    return (
        signer.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + leaf.public_bytes(pem)
        + root.public_bytes(pem)
    )


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey, is_authority: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    issuer = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return builder.sign(authority, hashes.SHA256())


def _name(what: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SELF_MADE),
            x509.NameAttribute(NameOID.COMMON_NAME, f"locutor {what} of this machine"),
        ]
    )
