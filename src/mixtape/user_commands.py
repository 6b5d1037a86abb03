"""The commands `mixtape users …`: who there is, who comes and goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from audio_cache.text import counted

from .command_database import opened_database
from .secret_key import read_secret_key

if TYPE_CHECKING:
    from .accounts.devices import Devices
    from .accounts.users import SavedUser, Users


@click.group()
def users() -> None:
    """Add and remove people who have mixtapes and devices of their own.

    The first user is always there and signs in with PASSWORD; one person needs none of this.
    """


@users.command("list")
def list_users() -> None:
    """Show all users, with how much each has."""
    with _opened_users() as stored:
        belongings = stored.belongings()
        for user in stored.all():
            has = belongings[user.id]
            amounts = f"{counted(has.mixtapes, 'mixtape')}, {counted(has.devices, 'device')}"
            signs_in = ", signs in with PASSWORD" if user.is_first else ""
            click.echo(f"{user.name} ({user.role}): {amounts}{signs_in}")


@users.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["listener", "admin"]), default="listener")
def add(name: str, role: str) -> None:
    """Add NAME, whose password is asked for, or read from standard input."""
    with _opened_users() as stored:
        user = stored.add(name, role, _read_password())
    click.echo(f"{user.name} can sign in as {user.role} now.")


@users.command("reset-password")
@click.argument("name")
@click.option("--remove-devices", is_flag=True, help="Remove all devices and links of NAME, too.")
def reset_password(name: str, remove_devices: bool) -> None:
    """Give NAME another password, which is asked for, or read from standard input.

    Devices and links have keys of their own, which go on working unless they are removed.
    """
    with opened_accounts() as (stored, devices):
        user = stored.set_password(get_user(stored, name).id, _read_password())
        gone = len(devices.remove_all(user.id)) if remove_devices else 0
        left = stored.belongings()[user.id].devices
    click.echo(f"{user.name} has another password; browsers that were signed in are signed out.")
    if gone:
        click.echo(f"{counted(gone, 'device')} removed.")
    if left:
        click.echo(f"{counted(left, 'device')} still signed in: see mixtape users remove-devices.")


@users.command("remove-devices")
@click.argument("name")
def remove_devices(name: str) -> None:
    """Remove all devices and links of NAME; their keys are good for nothing from then on."""
    with opened_accounts() as (stored, devices):
        user = get_user(stored, name)
        gone = len(devices.remove_all(user.id))
    click.echo(f"{counted(gone, 'device')} of {user.name} removed.")


@users.command()
@click.argument("name")
@click.option(
    "--tapes",
    type=click.Choice(["give", "delete"]),
    help="What becomes of the mixtapes and drafts: give them to the first user, or delete them.",
)
def remove(name: str, tapes: str | None) -> None:
    """Remove NAME, with all devices, stars and play counts."""
    with _opened_users() as stored:
        user = get_user(stored, name)
        has = stored.belongings()[user.id]
        count = has.mixtapes + has.drafts
        if tapes is None and count:
            raise click.UsageError(
                f"{user.name} has {count} mixtapes and drafts: say with --tapes "
                "whether to give them to the first user, or to delete them. Nothing was changed."
            )
        stored.remove(user.id, None if tapes == "delete" else stored.get().id)
    click.echo(f"{user.name} is removed.")


@contextmanager
def _opened_users() -> Iterator[Users]:
    from .accounts.users import Users

    with opened_database() as (_, _, database):
        yield Users(database)


@contextmanager
def opened_accounts() -> Iterator[tuple[Users, Devices]]:
    """Give the users and their devices; what is wrong ends the command with a word."""
    from .accounts.devices import Devices
    from .accounts.sealing import Sealer
    from .accounts.users import Users

    with opened_database() as (settings, _, database):
        yield Users(database), Devices(database, Sealer(read_secret_key(settings)))


def get_user(stored: Users, name: str) -> SavedUser:
    """Return a user by name; the command ends with a word where there is none."""
    user = stored.find(name)
    if user is None:
        raise click.ClickException(f"there is no user “{name}”: see mixtape users list")
    return user


def _read_password() -> str:
    """Return a password that nobody sees in a list of processes or in a shell's history."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")
