"""The web application: routes, who may use them, and errors as JSON."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from locutor.core.errors import LocutorError
from locutor.live.session import Synthesize
from locutor.live.sound_line import KEPT_RATE
from locutor.server import video
from locutor.server.config import ServerConfig
from locutor.server.crew import Crew
from locutor.server.draw import check_drawing
from locutor.server.gallery import Gallery
from locutor.server.hub import Hub
from locutor.server.metrics import Figures, metrics_text
from locutor.server.neighbour import ToOwner, figures_of_all
from locutor.server.protocol import (
    PROTOCOL,
    AvatarEntry,
    ErrorCode,
    Pass,
    PassOrder,
    SessionEntry,
    SessionOrder,
    Site,
    State,
    TextOrder,
)
from locutor.server.refusal import RefusalError, refusal_of
from locutor.server.socket import ViewerSocket, check_text, state_of
from locutor.server.tokens import is_good, make_pass
from locutor.server.upload import received_sound
from locutor.speech.espeak import synthesize

PAGE = Path(__file__).parent / "page"
WEB_TYPES = {".json": "application/json", ".bin": "application/octet-stream", ".jpg": "image/jpeg", ".png": "image/png"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Next = Callable[[Request], Awaitable[Response]]


def make_app(
    gallery: Gallery, config: ServerConfig, speak: Synthesize = synthesize, crew: Crew | None = None
) -> FastAPI:
    """The application of one server.

    Args:
        gallery: who is shown.
        config: how it is reached, and limits.
        speak: text and voice to sound; runs in threads.
        crew: the other processes of the server; none if None.
    """
    hub = Hub(gallery, config, speak, crew)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        yield
        await hub.stop()

    app = FastAPI(title="locutor", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hub = hub
    _add_errors(app, hub)
    if hub.crew.count > 1:
        app.add_middleware(ToOwner, hub=hub)
    app.include_router(_about(hub))
    app.include_router(_sessions(hub))
    if importlib.util.find_spec("aiortc"):
        from locutor.server.webrtc import whep_routes

        app.include_router(whep_routes(hub))
    _add_socket(app, hub)
    if (PAGE / "index.html").is_file():
        app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def guard(request: Request, hub: Hub) -> None:
    """Raises:
    RefusalError: the token is missing or wrong, or the address asks too often.
    """
    address = request.client.host if request.client else ""
    if request.client and not hub.requests.take(address, time.monotonic()):  # no client: counted by a neighbour
        raise RefusalError("too_fast", "too many requests", "wait some seconds")
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if not is_good(given if kind.lower() == "bearer" else None, hub.config.token):
        raise RefusalError(
            "unauthorized", "the token is missing or wrong, or its time is over", "send it as a bearer token"
        )


def _add_errors(app: FastAPI, hub: Hub) -> None:
    def answer(refusal: RefusalError) -> JSONResponse:
        hub.count_refusal(refusal)
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        return JSONResponse(refusal.message().model_dump(), refusal.status, headers)

    @app.exception_handler(LocutorError)
    async def refused(request: Request, error: LocutorError) -> JSONResponse:
        return answer(refusal_of(error))

    @app.exception_handler(RequestValidationError)
    async def misunderstood(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return answer(RefusalError("bad_message", f"{where}: {first['msg']}", "see docs/live.md"))

    @app.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> JSONResponse:
        code: ErrorCode = "not_found" if error.status_code == 404 else "bad_message"
        return answer(RefusalError(code, str(error.detail), "see docs/live.md"))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        return answer(refusal_of(LocutorError(str(error), "")))

    @app.middleware("http")
    async def from_here(request: Request, call_next: Next) -> Response:
        try:
            check_origin(request.headers.get("origin"), request.headers.get("host"), hub.config)
        except RefusalError as refusal:
            return answer(refusal)
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def check_origin(origin: str | None, host: str | None, config: ServerConfig) -> None:
    """Without a token, pages of other sites must not speak through the visitor's browser to this machine.

    Raises:
        RefusalError: the request comes from another site's page, or under a name that is not this machine's.
    """
    if config.token:
        return
    here = urlsplit(f"//{host}")
    if here.hostname not in LOOPBACK and here.hostname != config.host:
        raise RefusalError("unauthorized", "this server is asked under another name", f"open http://{config.host}")
    if origin is not None and urlsplit(origin).netloc != host:
        raise RefusalError(
            "unauthorized", "the request comes from another site", "open the page that this server serves"
        )


def _about(hub: Hub) -> APIRouter:
    routes = APIRouter()

    @routes.get("/site.json")
    async def site() -> Site:
        return Site(needs_token=bool(hub.config.token))

    @routes.get("/api/health")
    async def health() -> dict[str, object]:
        return {
            "status": "ok",
            "protocol": PROTOCOL,
            "sessions": hub.crew.total("sessions"),
            "avatars": len(hub.gallery.exhibits),
        }

    @routes.get("/metrics")
    async def metrics(request: Request) -> PlainTextResponse:
        guard(request, hub)
        return PlainTextResponse(metrics_text(await figures_of_all(hub)), media_type="text/plain; version=0.0.4")

    @routes.get("/api/figures")
    async def figures(request: Request) -> Figures:
        if request.client is not None:  # a neighbour comes over a Unix socket and has no address
            raise RefusalError("not_found", "the processes of this server ask each other here", "GET /metrics")
        return Figures.of(hub)

    @routes.get("/api/avatars")
    async def avatars(request: Request) -> list[AvatarEntry]:
        guard(request, hub)
        return [exhibit.entry() for exhibit in hub.gallery.exhibits.values()]

    @routes.get("/api/avatars/{id}/preview.png")
    async def preview(id: str) -> Response:
        return Response(hub.gallery.find(id).preview, media_type="image/png")

    @routes.get("/api/avatars/{id}/web/{name}")
    async def web(id: str, name: str) -> FileResponse:
        path = await hub.gallery.web_file(id, name)
        return FileResponse(path, media_type=WEB_TYPES.get(path.suffix, "application/octet-stream"))

    @routes.post("/api/passes", status_code=201)
    async def passes(request: Request, order: PassOrder) -> Pass:
        guard(request, hub)
        token = hub.config.token
        if not token or is_pass(request):
            raise RefusalError(
                "unauthorized", "passes are made with the owner's token", "start the server with --token"
            )
        return Pass(token=make_pass(token, order.lasts_s))

    return routes


def is_pass(request: Request) -> bool:
    """Whether the request carries a pass and not the owner's token."""
    return request.headers.get("authorization", "").partition(" ")[2].startswith("pass.")


def _sessions(hub: Hub) -> APIRouter:
    routes = APIRouter(prefix="/api/sessions")

    @routes.post("", status_code=201)
    async def start(request: Request, order: SessionOrder) -> SessionEntry:
        guard(request, hub)
        room = await hub.open(order.avatar)
        at = f"api/sessions/{room.id}/"
        return SessionEntry(
            session=room.id,
            avatar=room.exhibit.id,
            video_mjpeg=at + "video.mjpeg",
            video_mp4=at + "video.mp4",
            whep=at + "whep",
        )

    @routes.delete("/{session}", status_code=204)
    async def end(request: Request, session: str) -> None:
        guard(request, hub)
        await hub.close(hub.find(session))

    @routes.post("/{session}/say", status_code=202)
    async def say(request: Request, session: str, order: TextOrder) -> None:
        guard(request, hub)
        check_text(order.text, hub)
        hub.find(session).session.push_text(order.text, order.voice, order.id)

    @routes.post("/{session}/sound", status_code=202)
    async def sound(request: Request, session: str) -> None:
        guard(request, hub)
        room = hub.find(session)
        samples = await received_sound(request.stream(), hub.config.limits)
        room.session.push_audio(samples, KEPT_RATE)
        room.session.end_audio()

    @routes.post("/{session}/interrupt")
    async def interrupt(request: Request, session: str) -> State:
        guard(request, hub)
        return state_of(hub.find(session).session.interrupt())

    @routes.get("/{session}/video.mjpeg")
    async def as_mjpeg(session: str) -> StreamingResponse:
        room = hub.find(session)
        check_drawing(hub)
        return StreamingResponse(video.mjpeg(hub, room), media_type=video.MJPEG)

    @routes.get("/{session}/video.mp4")
    async def as_mp4(session: str) -> StreamingResponse:
        room = hub.find(session)
        check_drawing(hub)
        return StreamingResponse(video.mp4(hub, room), media_type="video/mp4")

    return routes


def _add_socket(app: FastAPI, hub: Hub) -> None:
    @app.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        try:
            check_origin(socket.headers.get("origin"), socket.headers.get("host"), hub.config)
        except RefusalError as refusal:
            hub.count_refusal(refusal)
            await socket.close(4401)
            return
        await ViewerSocket(socket, hub).serve()
