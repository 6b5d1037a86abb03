"""The commands `mixtape devices …`: keys for apps, where there is no browser at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .user_commands import get_user, opened_accounts

if TYPE_CHECKING:
    from .accounts.devices import SavedDevice


@click.group()
def devices() -> None:
    """Add and remove the devices whose apps play the library.

    The page Devices does the same.
    """


@devices.command("list")
def list_devices() -> None:
    """Show all devices and links, each with the number that removes it."""
    with opened_accounts() as (users, stored):
        for user in users.all():
            for device in stored.of(user.id):
                click.echo(f"{device.id}: {device.name} of {user.name}, {_facts(device)}")


@devices.command()
@click.argument("name")
@click.option("--user", "user_name", help="Whose it is.  [default: the first user]")
@click.option(
    "--api-key",
    "takes_api_keys",
    is_flag=True,
    help="Only for an app with API keys: its key is stored so that nobody can read it.",
)
def add(name: str, user_name: str | None, takes_api_keys: bool) -> None:
    """Add a device called NAME, and show its key this once."""
    with opened_accounts() as (users, stored):
        user = users.get() if user_name is None else get_user(users, user_name)
        device, key = stored.add(user.id, name, is_recoverable=not takes_api_keys)
    click.echo(f"{device.name} can sign in, to a server of the kind Subsonic or OpenSubsonic, by")
    click.echo(f"  user name: {user.name}")
    click.echo(f"  password:  {key}")
    click.echo("Put it in now: this key is not shown again.")


@devices.command()
@click.argument("number", type=click.IntRange(min=1))
def remove(number: int) -> None:
    """Remove the device or link with NUMBER, as in `mixtape devices list`.

    What a running server is sending to it ends within seconds.
    """
    with opened_accounts() as (users, stored):
        for user in users.all():
            for device in stored.of(user.id):
                if device.id == number:
                    stored.remove(user.id, number)
                    click.echo(f"{device.name} of {user.name} is removed.")
                    return
    raise click.ClickException(f"there is no device {number}: see mixtape devices list")


def _facts(device: SavedDevice) -> str:
    kind = "API key" if not device.is_recoverable else "any app"
    facts = ["link" if device.is_link else kind, *([device.client] if device.client else [])]
    used_at = device.last_used_at
    facts.append(f"last used {used_at:%Y-%m-%d}" if used_at else "never used")
    return ", ".join(facts)
