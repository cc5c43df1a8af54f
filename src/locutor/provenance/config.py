"""How what is written says that it is synthetic: settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg


@dataclass(frozen=True)
class MarkConfig:
    """How what is written says that it is synthetic.

    Attributes:
        mark: put a signed C2PA manifest into the file; --no-mark leaves it out.
        label: words burnt into a corner of every frame, such as "synthetic".
        sign_cert: certificate chain (PEM) to sign with; $LOCUTOR_SIGN_CERT, else a self-made one.
        sign_key: its private key (PEM); $LOCUTOR_SIGN_KEY.
    """

    mark: bool = True
    label: str = ""
    sign_cert: Annotated[Path | None, arg(metavar="PEM")] = None
    sign_key: Annotated[Path | None, arg(metavar="PEM")] = None


MARKED = MarkConfig()
"""What happens when nobody asks for anything else: everything is marked."""
