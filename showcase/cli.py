"""The `showcase` command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pydantic

from showcase import __version__, logs
from showcase.settings import Settings


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command has."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the database, the uploads and the media.",
    )(command)


def _settings(**given: Any) -> Settings:
    """The settings with what the command line gives on top. Ends with a readable line when one is wrong."""
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})
    except pydantic.ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise click.ClickException("These settings cannot be used:\n" + "\n".join(lines)) from None
    except (OSError, ValueError) as error:
        raise click.ClickException(f"The settings cannot be read: {error}") from None


def _migrated(settings: Settings) -> None:
    """Bring the database to this version's schema. Ends with a readable line when it cannot be reached."""
    import sqlalchemy as sa

    from showcase.store.database import migrate

    try:
        migrate(settings.database_url)
    except (OSError, sa.exc.SQLAlchemyError) as error:
        shown = sa.make_url(settings.database_url).render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise click.ClickException(f"The database {shown} cannot be used: {reason}") from None


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Any]:
    """A function that runs a store function in a transaction of its own: `write(f, *args)`."""
    from showcase.store.database import Database

    _migrated(settings)

    def write(f: Any, *args: Any, **kwargs: Any) -> Any:
        async def once() -> Any:
            db = Database(settings.database_url)
            try:
                return await db.write(f, *args, **kwargs)
            finally:
                await db.close()

        return asyncio.run(once())

    yield write


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="showcase")
def main() -> None:
    """Showcase: online exhibition streaming for the Creative Cities of Media Arts."""


@main.command()
@common
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Worker children; 0 where workers run apart.")
@click.option("--dev/--no-dev", default=None, help="Read templates and static files again at each request.")
def serve(data: Path | None, host: str | None, port: int | None, workers: int | None, dev: bool | None) -> None:
    """Run the server, with its workers."""
    settings = _settings(data=data, host=host, port=port, workers=workers, dev=dev)
    logs.configure(settings.log_level, settings.log_format)
    run_server(settings)


def run_server(settings: Settings, also: Callable[[Any], None] | None = None) -> None:
    """Migrate, then serve until SIGTERM or Ctrl-C. `also` is given the application before it starts."""
    from aiohttp import web

    from showcase import app as application

    _migrated(settings)
    try:
        app = application.make(settings)
        if also is not None:
            also(app)
    except OSError as error:
        raise click.ClickException(f"The data folder {settings.data} cannot be used: {error}") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        web.run_app(
            app,
            host=settings.host,
            port=settings.port,
            print=None,
            access_log=None,
            shutdown_timeout=5,
            handler_cancellation=True,
        )
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None


@main.command()
@common
@click.option("--child", is_flag=True, hidden=True)
def worker(data: Path | None, child: bool) -> None:
    """Run a worker: it processes uploads and sends mails."""
    from showcase.errors import ShowcaseError
    from showcase.worker.service import run

    settings = _settings(data=data)
    logs.configure(settings.log_level, settings.log_format)
    if not child:
        _migrated(settings)
    try:
        asyncio.run(run(settings, child=child))
    except ShowcaseError as error:
        raise click.ClickException(f"The worker cannot start: {error}") from None


@main.command()
@common
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
def demo(data: Path | None, host: str | None, port: int | None) -> None:
    """Run a server with sample people and works, to look round."""
    from showcase import demo as samples

    given = data or (Path(os.environ["SHOWCASE_DATA"]) if "SHOWCASE_DATA" in os.environ else Path("media/demo"))
    settings = _settings(data=given, host=host, port=port, log_format="text", log_level="warning")
    logs.configure(settings.log_level, settings.log_format)
    samples.run(settings, run_server)


@main.command()
@common
def migrate(data: Path | None) -> None:
    """Bring the database to the schema of this version."""
    settings = _settings(data=data)
    _migrated(settings)
    click.echo("The database is up to date.")


@main.command()
@common
@click.argument("email")
@click.option("--name", default="", help="Name of a new person.")
@click.option("--role", type=click.Choice(["administrator", "staff", "artist"]), help="Role to give.")
@click.option("--city", help="City of the role (its slug).")
@click.option("--password", is_flag=True, help="Ask for a password.")
@click.option("--link", is_flag=True, help="Print a sign-in link.")
@click.option("--disable", is_flag=True, help="Close the account and end its sign-ins.")
@click.option("--port", type=int, help="Port of the server, for the link.")
def user(
    data: Path | None,
    port: int | None,
    email: str,
    name: str,
    role: str | None,
    city: str | None,
    password: bool,
    link: bool,
    disable: bool,
) -> None:
    """Make a person or change one: roles, a password, a sign-in link."""
    from datetime import timedelta

    from showcase.errors import NotFound
    from showcase.store import access, cities, people

    settings = _settings(data=data, port=port)
    at = datetime.now(UTC)
    if role == "administrator" and city is not None:
        raise click.UsageError("an administrator is of no city: leave --city out")
    if role in ("staff", "artist") and city is None:
        raise click.UsageError(f"of which city? {role} needs --city, as --city linz")
    if "@" not in email:
        raise click.UsageError("EMAIL is an e-mail address")
    with _database(settings) as write:
        write(cities.seed, at)
        try:
            if city is not None:
                write(cities.city, city)
            person = write(people.create, at, email, name)
            if role is not None:
                write(people.give_role, at, person.id, role, city)
        except NotFound:
            raise click.ClickException(f"There is no city {city!r}; the desk's Cities page lists them all.") from None
        if password:
            from argon2 import PasswordHasher

            from showcase.web.passwords import SHORTEST

            secret = click.prompt("Password", hide_input=True, confirmation_prompt=True)
            if len(secret) < SHORTEST:
                raise click.ClickException(f"A password needs at least {SHORTEST} characters.")
            write(people.set_password_hash, person.id, PasswordHasher().hash(secret))
        if disable:
            write(people.set_disabled, at, person.id, disabled=True)
            write(access.close_sessions, person.id)
        click.echo(f"{person.email}: {person.name}")
        if link:
            token = write(access.make_link, at, "signin", timedelta(minutes=settings.signin_minutes), person=person.id)
            click.echo(f"{settings.public_url}/{person.lang}/sign-in/{token}")


@main.command()
@common
@click.argument("email")
@click.option("--label", default="command line", help="What the token is for.")
def token(data: Path | None, email: str, label: str) -> None:
    """Print a token with which a program acts for a person."""
    from showcase.store import access, people

    settings = _settings(data=data)
    with _database(settings) as write:
        person = write(people.by_email, email)
        if person is None:
            raise click.ClickException(f"There is nobody with the address {email}.")
        click.echo(
            write(access.make_link, datetime.now(UTC), "api", None, person=person.id, label=label, made_by=person.id)
        )


@main.command()
@common
@click.option("--host", help="Address the server will listen on.")
@click.option("--port", type=int, help="Port the server will listen on.")
def doctor(data: Path | None, host: str | None, port: int | None) -> None:
    """Check what Showcase needs: FFmpeg, disk, database, clock, port."""
    from showcase import doctor as checks

    settings = _settings(data=data, host=host, port=port)
    good = True
    for check in checks.run(settings):
        good = good and check.level != "bad"
        click.echo(f"{ {'good': 'ok  ', 'warn': 'note', 'bad': 'BAD '}[check.level] } {check.name}: {check.detail}")
    sys.exit(0 if good else 1)
