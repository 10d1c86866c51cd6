"""A process that answers one question at a time: the other side of :mod:`service.pool`.

It is forked from a process that has imported this module already. So what the libraries take in
memory is there once, and another worker is soon at hand where one has died.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from contextlib import closing, suppress
from multiprocessing.connection import Connection

import sentence_transformers  # noqa: F401 - imported before the fork, as the model will need it
import torch

from indexer.deadlines import until
from indexer.errors import ModelError, WinnowError
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.engine import Engine
from service.logs import configure
from service.readers import extractor_of
from service.tasks import Done, Failed, Outcome, Ready, Refused, Task


def work(connection: Connection, settings: Settings, embedder: Embedder | ModelError) -> None:
    """Do the tasks that come over ``connection`` until its other end is closed."""
    # Who stops the service often tells all its processes, and who is being answered is waited for.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    configure(settings)
    cores = torch.get_num_threads()
    embedder, extractor = _loaded(embedder), extractor_of(settings)
    with closing(Engine(settings, embedder, extractor=extractor)) as engine:
        engine.warm()
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the service has ended
            connection.send(
                Ready(
                    without_model=embedder if isinstance(embedder, ModelError) else None,
                    without_reader=extractor if isinstance(extractor, ModelError) else None,
                )
            )
            while True:
                task: Task = connection.recv()
                torch.set_num_threads(min(cores, task.cores))
                connection.send(_outcome(engine, task))


def _end_with_parent() -> None:
    """Wait for the end of the service, even if it is killed, which leaves nobody to answer."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _loaded(embedder: Embedder | ModelError) -> Embedder | ModelError:
    if not isinstance(embedder, ModelError):
        try:
            embedder.encode(["load"])
        except ModelError as error:
            return error
    return embedder


def _outcome(engine: Engine, task: Task) -> Outcome:
    try:
        with until(task.deadline):
            return Done(getattr(engine, task.method)(*task.arguments))
    except WinnowError as error:
        return Refused(error)
    except Exception as error:  # noqa: BLE001 - who asked logs it, with the request that it was for
        return Failed("".join(traceback.format_exception(error)))
