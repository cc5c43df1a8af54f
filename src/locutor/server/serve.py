"""`locutor serve`: checks who may be shown to whom, then runs the server until it is stopped."""

from __future__ import annotations

import gc
import importlib.util
import ipaddress
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from locutor.core.errors import LocutorError, MissingPartError
from locutor.server.config import ServerConfig

TOKEN_VARIABLE = "LOCUTOR_TOKEN"
SHORTEST_TOKEN = 12
PARTS = ("fastapi", "uvicorn", "websockets", "pydantic")


def serve(files: list[tuple[str, Path]], config: ServerConfig) -> None:
    """Serve avatars (names and files) until interrupted.

    Raises:
        MissingPartError: the extra `live` is not installed.
        FormatError: a file is no avatar, or has no voice model.
        LocutorError: the address is open to other machines and there is no token, or no consent is on record.
    """
    require_parts()
    config = with_token(config)
    check_token(config)
    if config.processes > 1:
        from locutor.server.processes import serve_together

        serve_together(files, config)
        return
    import torch
    import uvicorn

    from locutor.server.app import make_app
    from locutor.server.gallery import Gallery

    torch.set_num_threads(1)  # a session's network is small: threads would only wait for each other
    gallery = Gallery(files)
    try:
        check_consent(gallery, config)
        announce(list(gallery.exhibits), config)
        freeze_what_is_loaded()
        uvicorn.run(make_app(gallery, config), **uvicorn_options(config))
    finally:
        gallery.close()


def freeze_what_is_loaded() -> None:
    """Tell Python's garbage collector that all there is so far stays.

    A full collection looks at every object of every library: all sessions would wait a tenth of a second for it.
    """
    gc.collect()
    gc.freeze()


def announce(ids: list[str], config: ServerConfig) -> None:
    """Print where the avatars are."""
    for id in ids:
        print(f"avatar {id}: http://{_written(config.host)}:{config.port}/?avatar={id}", flush=True)


def uvicorn_options(config: ServerConfig) -> dict[str, Any]:
    """How uvicorn is run: no compression (packets are small and fresh), limits below the application's own."""
    return {
        "host": config.host,
        "port": config.port,
        "log_level": "warning",
        "access_log": False,  # session ids are secrets
        "ws": "websockets-sansio",
        "ws_max_size": 4 * config.limits.message_bytes,
        "ws_per_message_deflate": False,
        "server_header": False,
        "timeout_graceful_shutdown": 2,
    }


def require_parts() -> None:
    """Raises:
    MissingPartError: the extra `live` is not installed.
    """
    missing = [name for name in PARTS if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPartError(f"the server needs {', '.join(missing)}", "pip install 'locutor[live]'")


def with_token(config: ServerConfig) -> ServerConfig:
    """The token of the environment where none was given."""
    return config if config.token else replace(config, token=os.environ.get(TOKEN_VARIABLE, ""))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_token(config: ServerConfig) -> None:
    """Raises:
    LocutorError: other machines reach the server and there is no token, or a token is too short to be one.
    """
    if not config.token and not is_loopback(config.host):
        raise LocutorError(
            f"{config.host} can be reached from other machines, and there is no token",
            f"set {TOKEN_VARIABLE} (or --token), or bind 127.0.0.1",
        )
    if config.token and len(config.token) < SHORTEST_TOKEN:
        raise LocutorError(
            f"the token has {len(config.token)} characters", f"take one of {SHORTEST_TOKEN} or more, by chance"
        )


def check_consent(gallery: object, config: ServerConfig) -> None:
    """Raises:
    LocutorError: somebody would be shown to other machines without consent on record.
    """
    from locutor.server.gallery import Gallery, may_be_shown

    assert isinstance(gallery, Gallery)
    for exhibit in gallery.exhibits.values():
        if not may_be_shown(exhibit, not is_loopback(config.host), config.allow_unconsented):
            raise LocutorError(
                f"the avatar {exhibit.id} has no record of consent; other machines could see and use it",
                "record the consent in the avatar, bind 127.0.0.1, or pass --allow-unconsented",
            )


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
