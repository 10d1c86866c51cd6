"""Nothing but loopback is ever spoken to: build, serve, search and ask with sockets blocked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT
from fakes import write_article

WINNOW = Path(sys.executable).with_name("winnow")

# As sitecustomize.py it runs before anything else in every process of the product.
GUARD = """
import socket, sys

OURS = (None, "", "127.0.0.1", "::1", "localhost")

def guarded(real):
    def connect(self, address):
        if isinstance(address, tuple) and address[0] not in OURS:
            sys.stderr.write(f"BLOCKED {address}\\n")
            raise OSError("blocked")
        return real(self, address)
    return connect

socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
lookup = socket.getaddrinfo

def own_lookup(host, *arguments, **options):
    if host not in OURS:
        sys.stderr.write(f"BLOCKED {host}\\n")
        raise OSError("blocked")
    return lookup(host, *arguments, **options)

socket.getaddrinfo = own_lookup
"""


@pytest.fixture
def blocked(tmp_path: Path) -> dict[str, str]:
    """An environment in which every Python process has the guard."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "guard"), str(ROOT)]),
        "WINNOW_SEEDS": str(tmp_path / "seeds"),
        "WINNOW_INDEX": str(tmp_path / "index"),
    }


def run(environment: dict[str, str], *command: str | Path) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "BLOCKED" not in done.stderr
    return done.stdout


def test_build_search_ask_and_serve_need_no_network(
    tmp_path: Path, blocked: dict[str, str]
) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator for the corridor.")
    assert "1 articles" in run(blocked, WINNOW, "build")
    assert "Brussels proposed" in run(blocked, WINNOW, "search", "who proposed it")
    assert "“Brussels”" in run(blocked, WINNOW, "ask", "who proposed an operator")
    assert "ok       offline: " in run(blocked, WINNOW, "doctor", "--offline")
    service = subprocess.Popen(
        [WINNOW, "serve", "--port", "0"], env=blocked, stderr=subprocess.PIPE, text=True
    )
    assert service.stderr is not None
    said = []
    for line in service.stderr:
        said.append(line)
        if "Winnow is at " in line:
            break
    address = said[-1].split()[-1]
    with urllib.request.urlopen(f"{address}/v1/answers?q=who+proposed+an+operator") as response:  # noqa: S310 - our own loopback service
        assert json.load(response)["reason"] == "found"
    service.send_signal(signal.SIGTERM)
    assert service.wait(timeout=10) == 0
    said += service.stderr.readlines()
    service.stderr.close()
    assert not any("BLOCKED" in line for line in said)


def test_the_guard_does_block(blocked: dict[str, str]) -> None:
    for code in (
        "import socket; socket.create_connection(('192.0.2.1', 80))",
        "import urllib.request; urllib.request.urlopen('http://example.invalid')",
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], env=blocked, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "BLOCKED" in done.stderr


@pytest.mark.parametrize("module", ["flask", "click", "gunicorn", "jinja2"])
def test_the_indexer_needs_nothing_of_the_service(module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import indexer.__main__"
    subprocess.run([sys.executable, "-c", code], check=True)
