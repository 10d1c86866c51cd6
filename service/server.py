"""Serving: gunicorn with one worker of many threads, the port taken before anything slow is done.

One worker, because who is admitted, who asks too often and which build is running is to be known in
one place. It does little by itself: questions are answered by the processes of its pool, which it
starts after gunicorn's fork.
"""

from __future__ import annotations

import contextlib
import http
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from indexer.build import Progress
from indexer.errors import BuildError, ModelError, ServeError
from indexer.protocols import Embedder
from indexer.reports import BuildReport
from indexer.seeds import SETTLE, any_unsettled
from indexer.settings import Settings
from indexer.watching import watch as watch_folder
from service.api import create_app
from service.building import Builder
from service.builds import Builds
from service.guarding import Guard, require_keys
from service.headers import UNSHOWN
from service.keys import Keys
from service.logs import GunicornLog, configure
from service.pool import Pool
from service.pooled import PooledEngine
from service.problems import MEDIA_TYPE, shape
from service.requests import MAX_QUESTION

_LONGEST_LINE = 8190
"""Bytes of a request line: the most that gunicorn allows; a question takes 4,000 at the worst."""

_PATIENCE = 5
"""Seconds of silence after which an unfinished request is given up."""

_GRACE = 3
"""Seconds that requests in flight have to end when the service is stopped, of the five it takes."""

_SPARE = 8
"""Threads beyond those whose requests are served, wait or follow a build: they refuse the rest."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on ``host`` and ``port``.

    Raises:
        ServeError: The address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it: without, a request that is never finished keeps a thread.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE, 0))
        listener.bind(address)
        listener.listen(128)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a host"
        raise ServeError(
            f"cannot listen on {host} port {port}: {reason}",
            hint="Stop what uses that port or choose another: winnow serve --port 8081",
        ) from error
    return listener


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn's threads, with our shape of error where a request does not reach the application.

    That is a request that cannot be parsed, such as one with a page of text in its address. When
    told to stop, it first ends what would outlast the time that requests in flight are given, and
    gives up the port: whoever comes then is refused at once rather than left to wait for nobody.
    """

    def handle_exit(self, sig: int, frame: object) -> None:
        """Stop, and end builds and those who follow them; both might take hours."""
        if not self.alive:
            return  # who stops a group of processes tells this one, and gunicorn's first does too
        super().handle_exit(sig, frame)
        # Locks are not for signal handlers; the main loop does it next.
        self.method_queue.defer(self._leave)
        self.method_queue.defer(self.app.stop)

    def _leave(self) -> None:
        """Take in whom the system has accepted for us already, then nobody any more."""
        self.set_accept_enabled(False)
        for listener in self.sockets:
            before = -1
            while self.nr_conns != before:
                before = self.nr_conns
                self.accept(listener)
            listener.close()

    def handle_error(
        self, req: object, client: socket.socket, addr: object, exc: Exception
    ) -> None:
        """Answer a request that could not be parsed."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status, detail = 400, "the request is not well-formed HTTP"
        if isinstance(exc, LimitRequestLine):
            status, detail = 414, f"the address is longer than {_LONGEST_LINE} bytes"
        elif isinstance(exc, LimitRequestHeaders):
            status, detail = 431, "the request's headers are too many or too long"
        id_ = uuid.uuid4().hex
        body = shape(
            status,
            detail,
            code="bad_request",
            hint=f"Ask with at most {MAX_QUESTION:,} characters." if status == 414 else "",
            parameter=None,
            id_=id_,
        ).model_dump_json(exclude_none=True)
        head = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nConnection: close\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in UNSHOWN.items())
            + f"X-Request-ID: {id_}\r\n\r\n"
        )
        with contextlib.suppress(OSError):  # whoever sent this may be gone
            _discard(client)
            client.sendall((head + body).encode())


def _discard(client: socket.socket) -> None:
    """Read on for a moment: closing on unread input would reset the connection, answer and all."""
    client.settimeout(0.1)
    until = time.monotonic() + 1
    with contextlib.suppress(TimeoutError):
        while time.monotonic() < until and client.recv(65536):
            pass


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn around one application, made by ``make_app`` in the worker.

    When the service is stopped, ``stop`` is called there before requests in flight have ended, and
    ``close`` after.
    """

    def __init__(  # noqa: PLR0913 - so many moments in its life
        self,
        settings: Settings,
        listener: socket.socket,
        *,
        make_app: Callable[[], Flask],
        announce: Callable[[], None],
        stop: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._make_app = make_app
        self._announce = announce
        self.stop = stop
        self._close = close
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's own settings; see its documentation for their meaning."""
        values: dict[str, Any] = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": 1,
            "worker_class": Worker,
            "limit_request_line": _LONGEST_LINE,
            "threads": threads_of(self._settings),
            "timeout": 120,  # loading the model on a slow disk takes its time
            "graceful_timeout": _GRACE,
            "loglevel": "warning",
            "logger_class": GunicornLog,
            "post_worker_init": lambda _: self._announce(),
            "worker_exit": lambda _server, _worker: self._close(),
            "control_socket_disable": True,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in the worker, after the fork."""
        return self._make_app()


def serve(
    settings: Settings,
    embedder: Embedder | ModelError,
    *,
    watch: bool = False,
) -> None:
    """Serve until stopped; with ``watch`` also build whenever the seeds change.

    ``embedder`` is the model, not loaded: it is sent to processes that load it.

    Raises:
        ServeError: The port is taken, or it can be reached from outside and there is no API key.
    """
    keys = Keys(settings.index)
    listener = bind(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    remote = require_keys(keys, host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    # What is ended before and after the requests in flight, last begun first.
    running, lasting = contextlib.ExitStack(), contextlib.ExitStack()
    lasting.callback(running.close)
    configure(settings)

    def make_app() -> Flask:
        lasting.callback(configure(settings, background=True))
        pool = Pool(settings, embedder)
        engine = PooledEngine(settings, embedder, pool)
        lasting.callback(engine.close)
        builder = Builder(settings)

        def build(full: bool, settle: float, progress: Progress) -> BuildReport:
            report = builder(full, settle, progress)
            engine.refresh()  # who is told that a build has ended can search it
            return report

        builds = Builds(build)
        running.callback(builder.close)
        running.callback(builds.close)
        engine.warm()
        for reason in engine.readiness().degraded:
            click.echo(f"Note: {reason}", err=True)
        if watch:
            running.callback(_watch(settings.seeds, builds).set)
        guard = Guard(settings, keys, remote=remote)
        app = create_app(engine, builds, streams=_streams(settings), guard=guard)
        for name in app.jinja_env.list_templates(extensions=["html"]):
            app.jinja_env.get_template(name)  # compiled now, the first page is there 70 ms sooner
        return app

    click.echo("Loading the embedding model and the index ...", err=True)
    Server(
        settings,
        listener,
        make_app=make_app,
        announce=lambda: click.echo(f"Winnow is at {address}", err=True),
        stop=running.close,
        close=lasting.close,
    ).run()


def threads_of(settings: Settings) -> int:
    """As many threads as it takes for one always to be free to refuse a request."""
    return settings.threads + settings.waiting + _streams(settings) + _SPARE


def _streams(settings: Settings) -> int:
    return max(1, settings.threads // 2)


def _watch(folder: Path, builds: Builds) -> threading.Event:
    """Build in the background whenever ``folder`` changes, until the returned event is set."""

    def act() -> bool:
        began = time.time()
        try:
            state = builds.wait(builds.submit(settle=SETTLE).id)
        except BuildError:
            return False  # the service is stopping
        if state.problem is not None:
            # Perhaps all that is wrong is that the only article is still on its way.
            return any_unsettled(folder, began)
        return state.report is not None and bool(state.report.unsettled)

    stop = threading.Event()
    threading.Thread(
        target=watch_folder, args=(folder, act, stop), name="watch", daemon=True
    ).start()
    return stop
