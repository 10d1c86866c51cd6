"""API keys: who may ask, and who may change the index.

A key is 256 random bits, so that its digest by a fast hash gives nothing away: there is no list of
likely keys to try, as there is of passwords, and a slow hash would cost every request tens of
milliseconds for nothing. Only digests are kept, in ``keys.jsonl`` in the index folder. That the
file is there, even without a key in it, says that keys are needed: with the last key revoked
nobody may ask, rather than everybody.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from werkzeug.datastructures import Authorization

from indexer.disk import replace
from indexer.errors import KeysError, NotFound
from indexer.locks import write_lock

_PREFIX = "winnow_"
"""Begins every key, so that one that got into a repository or a log can be found."""

_NAME = r"[A-Za-z0-9._-]{1,64}"


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Key:
    """A key as it is kept: ``digest`` is that of its secret, in hexadecimal digits."""

    name: Annotated[str, Field(pattern=f"^{_NAME}$")]
    admin: bool
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created: dt.datetime


_LINE = TypeAdapter(Key)


class Keys:
    """The keys of an index folder, as they are in its file at the moment."""

    def __init__(self, index: Path) -> None:
        self.path = index / "keys.jsonl"
        self._lock = index / "keys.lock"
        self._read: tuple[tuple[int, ...] | None, tuple[Key, ...]] = None, ()

    @property
    def needed(self) -> bool:
        """Whether there is a file of keys, be it without any."""
        return self.path.exists()

    def all(self) -> tuple[Key, ...]:
        """The keys in the order in which they were added; the file is read if it has changed.

        Raises:
            KeysError: It cannot be read, or lines of it, which the message names.
        """
        stamp, keys = self._read
        try:
            found = self.path.stat()
            now = (found.st_ino, found.st_size, found.st_mtime_ns)
            if now != stamp:
                keys = _parsed(self.path)
                # Taken before reading: what is written meanwhile will be read the next time.
                self._read = now, keys
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._trouble("read", error) from error
        return keys

    def holder(self, secret: str) -> Key | None:
        """The key with this secret; how long that takes tells nothing about the secrets there are.

        Raises:
            KeysError: The file of keys cannot be read.
        """
        digest, found = _digest(secret), None
        for key in self.all():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def add(self, name: str, *, admin: bool = False) -> str:
        """Make a key and return its secret, which cannot be had again.

        Raises:
            KeysError: The name is taken or cannot be one, or the file cannot be read or written.
        """
        if not re.fullmatch(_NAME, name):
            raise KeysError(
                f"{name!r} cannot be the name of a key",
                hint="Take up to 64 letters, digits, dots, hyphens and underscores of ASCII.",
            )
        secret = _PREFIX + secrets.token_urlsafe(32)
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        with self._writing():
            keys = self.all()
            if any(each.name == name for each in keys):
                raise KeysError(
                    f"there is a key named {name} already",
                    hint=f"Take another name, or first run: winnow keys revoke {name}",
                )
            self._write([*keys, Key(name, admin, _digest(secret), now)])
        return secret

    def revoke(self, name: str) -> int:
        """Make the key invalid, in a running service at its next request; returns how many remain.

        Raises:
            NotFound: There is no key of this name.
            KeysError: The file cannot be read or written.
        """
        with self._writing():
            keys = self.all()
            left = [each for each in keys if each.name != name]
            if len(left) == len(keys):
                raise NotFound(f"there is no key named {name!r}", hint="Run: winnow keys list")
            self._write(left)
        return len(left)

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        """The right to write the file; not that to write the index, which a build has for hours."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._trouble("written", error) from error
        return write_lock(self._lock, waiting=lambda: None)

    def _write(self, keys: Sequence[Key]) -> None:
        try:
            replace(
                self.path, "".join(f"{_LINE.dump_json(k).decode()}\n" for k in keys), mode=0o600
            )
        except OSError as error:
            raise self._trouble("written", error) from error

    def _trouble(self, verb: str, error: OSError) -> KeysError:
        return KeysError(
            f"{self.path} cannot be {verb}: {error.strerror}",
            hint="Make it a file, in a folder, that the service's user may read and write.",
        )


def presented(header: str | None) -> str | None:
    """The secret in an ``Authorization`` header: a bearer token, or the password with any name."""
    if header is None or not header.isascii():  # on other characters werkzeug's parser fails
        return None
    authorization = Authorization.from_header(header)
    if authorization is None:
        return None
    if authorization.type == "bearer":
        return authorization.token
    return authorization.password if authorization.type == "basic" else None


def _digest(secret: str) -> str:
    # A header's characters can be such as no encoding has.
    return hashlib.blake2b(secret.encode(errors="surrogatepass"), digest_size=32).hexdigest()


def _parsed(path: Path) -> tuple[Key, ...]:
    keys = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            keys.append(_LINE.validate_json(line))
        except ValidationError as error:
            raise KeysError(
                f"{path} is damaged: line {number} is no key",
                hint="Delete that line and add the key anew: winnow keys add NAME",
            ) from error
    return tuple(keys)
