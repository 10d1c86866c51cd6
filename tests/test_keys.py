from __future__ import annotations

import stat
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Authorization

from indexer.errors import KeysError, NotFound
from indexer.settings import Settings
from service.cli import main
from service.keys import Keys, presented


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "index")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.add("reader")
    return keys


@pytest.fixture
def winnow(settings: Settings) -> Callable[..., Result]:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--index", str(settings.index)])

    return call


def test_a_key_that_was_made_is_known_by_its_secret_alone(keys: Keys) -> None:
    secret = keys.add("reader")
    admin = keys.add("desk", admin=True)
    assert [each.name for each in keys.all()] == ["reader", "desk"]
    for each, name, may in ((secret, "reader", False), (admin, "desk", True)):
        found = keys.holder(each)
        assert found is not None
        assert (found.name, found.admin) == (name, may)
    for wrong in ("", "reader", secret[:-1], secret + "x", secret.swapcase(), found.digest):
        assert keys.holder(wrong) is None


def test_secrets_are_not_in_the_file_which_nobody_else_may_read(keys: Keys) -> None:
    secret = keys.add("reader")
    assert secret.removeprefix("winnow_") not in keys.path.read_text()
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    keys.path.chmod(0o644)
    keys.add("another")
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert len(secret) > 43  # 256 bits, six a character


def test_a_revoked_key_is_unknown_to_who_has_read_the_file_before(keys: Keys) -> None:
    running = Keys(keys.path.parent)
    assert not running.needed
    secret, other = keys.add("reader"), keys.add("other")
    assert running.needed
    assert running.holder(secret) is not None
    assert keys.revoke("reader") == 1
    assert running.holder(secret) is None
    assert running.holder(other) is not None


def test_with_the_last_key_revoked_keys_are_still_needed(keys: Keys) -> None:
    secret = keys.add("reader")
    assert keys.revoke("reader") == 0
    assert keys.needed
    assert keys.holder(secret) is None
    keys.path.unlink()
    assert not keys.needed


def test_a_name_is_used_once_and_is_a_word(keys: Keys) -> None:
    keys.add("reader")
    with pytest.raises(KeysError, match="named reader already"):
        keys.add("reader", admin=True)
    for name in ("", "two words", "a/b", "x" * 65, "ключ", "line\n"):
        with pytest.raises(KeysError, match="cannot be the name"):
            keys.add(name)
    with pytest.raises(NotFound, match="no key named 'nobody'"):
        keys.revoke("nobody")
    assert len(keys.all()) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"{}\n",
        b"not json\n",
        b"\xff\xfe\n",
        b'{"name": "a", "admin": true, "digest": "", "created": "2025-07-03"}\n',
    ],
)
def test_a_damaged_file_of_keys_lets_nobody_in_and_is_not_overwritten(
    keys: Keys, damage: bytes
) -> None:
    secret = keys.add("reader")
    whole = keys.path.read_bytes()
    keys.path.write_bytes(whole + damage)
    for act in (keys.all, lambda: keys.holder(secret), lambda: keys.add("b")):
        with pytest.raises(KeysError, match="line 2 is no key"):
            act()
    assert keys.path.read_bytes() == whole + damage


def test_a_file_of_keys_that_cannot_be_read_is_told(keys: Keys) -> None:
    keys.path.mkdir(parents=True)
    with pytest.raises(KeysError, match="Is a directory"):
        keys.all()
    keys.path.rmdir()
    keys.path.parent.rmdir()
    keys.path.parent.write_text("a file where the folder should be")
    with pytest.raises(KeysError, match="cannot be written"):
        keys.add("reader")


def test_keys_are_made_listed_and_revoked_in_the_terminal(
    winnow: Callable[..., Result], settings: Settings
) -> None:
    assert "no keys" in winnow("keys").stdout
    made = winnow("keys", "add", "desk", "--admin")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert "cannot be shown again" in made.stderr
    found = Keys(settings.index).holder(secret)
    assert found is not None
    assert found.admin
    assert winnow("keys", "add", "desk").exit_code == 1
    for listed in (winnow("keys", "list").stdout, winnow("keys", "--json").stdout):
        assert "desk" in listed
        assert "admin" in listed
        assert secret not in listed
        assert found.digest not in listed
    revoked = winnow("keys", "revoke", "desk")
    assert (revoked.exit_code, revoked.stdout) == (0, "Revoked the key desk\n")
    assert "nobody may ask" in revoked.stderr
    assert winnow("keys", "revoke", "desk").exit_code == 1


SECRETS = st.text(string.ascii_letters + string.digits + "_-", min_size=1)


@given(SECRETS)
def test_a_secret_comes_through_either_form_of_the_header(secret: str) -> None:
    assert presented(f"Bearer {secret}") == secret
    basic = Authorization("basic", {"username": "anybody", "password": secret})
    assert presented(basic.to_header()) == secret


@given(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"(?i)(basic|bearer|digest) .*"))
def test_no_header_is_more_than_wrong(known: Keys, text: str) -> None:
    secret = presented(text)
    assert secret is None or known.holder(secret) is None


@given(st.text())
def test_no_text_but_the_secret_is_a_key(known: Keys, text: str) -> None:
    assert known.holder(text) is None
