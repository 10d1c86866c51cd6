"""Commands for API keys: who may ask the service over HTTP, and who may change the index."""

from __future__ import annotations

import json

import click

from indexer.settings import Settings
from service import commands


@click.group(cls=commands.Listing)
def keys() -> None:
    """API keys, which a service that other machines can reach asks for."""


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
@commands.common
def list_keys(settings: Settings, *, as_json: bool) -> None:
    """Show the keys' names, never the keys; what no command stands for."""
    from service.keys import Keys

    known = Keys(settings.index).all()
    if as_json:
        rows = [
            {"name": each.name, "admin": each.admin, "created": each.created.isoformat()}
            for each in known
        ]
        click.echo(json.dumps({"keys": rows}, indent=2))
        return
    if not known:
        click.echo("There are no keys. To make one: winnow keys add NAME")
    for each in known:
        may = "admin" if each.admin else "read"
        click.echo(f"{each.name:<24} {may:<6} {each.created:%Y-%m-%d %H:%M}")


@keys.command(name="add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="It may also build, switch generations and monitor.")
@commands.common
def add_key(settings: Settings, name: str, *, admin: bool) -> None:
    """Make a key for NAME and print it, this once."""
    from service.keys import Keys

    secret = Keys(settings.index).add(name, admin=admin)
    click.echo(secret)
    click.echo("Keep it: it is not stored and cannot be shown again.", err=True)


@keys.command(name="revoke")
@click.argument("name")
@commands.common
def revoke_key(settings: Settings, name: str) -> None:
    """Make the key of NAME invalid; a running service refuses it from its next request on."""
    from service.keys import Keys

    kept = Keys(settings.index)
    left = kept.revoke(name)
    click.echo(f"Revoked the key {name}")
    if not left:
        click.echo(
            f"No key is left, so that nobody may ask. To let everybody on this machine ask a "
            f"service on loopback again, delete {kept.path}",
            err=True,
        )
