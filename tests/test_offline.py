"""Nothing but loopback is ever spoken to: build, serve, search and ask with sockets blocked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fakes import write_article

# Runs before anything of the product is imported, as a user's first command would.
GUARD = """
import socket, sys
real = socket.socket.connect
def only_loopback(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        sys.stderr.write(f"BLOCKED {address}\\n")
        raise OSError("blocked")
    return real(self, address)
socket.socket.connect = only_loopback
socket.socket.connect_ex = only_loopback
def no_lookup(host, *arguments, **options):
    if host not in (None, "127.0.0.1", "::1", "localhost"):
        sys.stderr.write(f"BLOCKED {host}\\n")
        raise OSError("blocked")
    return lookup(host, *arguments, **options)
lookup = socket.getaddrinfo
socket.getaddrinfo = no_lookup
"""

WHOLE_WAY = (
    GUARD
    + """
from pathlib import Path
from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine

settings = Settings(seeds=Path(sys.argv[1], "seeds"), index=Path(sys.argv[1], "index"))
embedder = SentenceEmbedder()
build(settings, embedder, progress=lambda *_: None)
client = create_app(Engine(settings, embedder)).test_client()
assert client.get("/v1/search?q=who+proposed+it").get_json()["hits"]
assert client.get("/v1/answers?q=who+proposed+an+operator").get_json()["answer"]
assert client.get("/?q=who+proposed+an+operator").status_code == 200
print("answered")
"""
)


def test_the_whole_way_needs_no_network(tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator for the corridor.")
    run = subprocess.run(
        [sys.executable, "-c", WHOLE_WAY, tmp_path], capture_output=True, text=True, check=False
    )
    assert run.stdout == "answered\n", run.stderr
    assert "BLOCKED" not in run.stderr


def test_the_guard_does_block() -> None:
    code = GUARD + "socket.create_connection(('192.0.2.1', 80))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "BLOCKED" in run.stderr


@pytest.mark.parametrize("module", ["flask", "click", "gunicorn", "jinja2"])
def test_the_indexer_needs_nothing_of_the_service(module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import indexer.__main__"
    subprocess.run([sys.executable, "-c", code], check=True)
