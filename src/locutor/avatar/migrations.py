"""Bringing the page of an older `.avatar` up to today's version, one step per version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def brought_up(meta: dict[str, Any]) -> dict[str, Any]:
    """The page (`meta.json`) as the newest version writes it. A file is never rewritten for it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the page is not one of the version it names.
    """
    while step := _STEPS.get(meta["version"]):
        meta = step(meta) | {"version": meta["version"] + 1}
    return meta


def _consent_of_its_own(meta: dict[str, Any]) -> dict[str, Any]:
    """1 to 2: consent was a remark in the provenance, never a record of who, when and until when."""
    provenance = dict(meta["provenance"])
    provenance.pop("consent", "")
    return meta | {"provenance": provenance, "consent": None}


_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _consent_of_its_own}
