"""The command line: joins settings, storage and platforms into an App and runs it. Nothing else knows both sides."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot import catalogue, company, platforms, settings
from bot.adapters.console import ConsoleAdapter, typed_lines
from bot.app import App
from bot.config import ConfigError
from bot.drawing import Pen
from bot.messages import Adapter
from bot.settings import Settings
from core import presence
from core.desk import Company, Desk
from core.team import Roster
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.shelf import TableShelf
from storage.store import Database

CSV = Annotated[Path, typer.Argument(metavar="FILE.csv")]
DRY = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
PORT = Annotated[int, typer.Option(help="A busy port picks another.")]

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Dealdesk: a sales assistant that lives in your team's chat.\n\nStart with `dealdesk demo`, or with"
    " `dealdesk init` in a folder of your own. Settings come from the environment (DEALDESK_...) or an .env file.",
)
imports = typer.Typer(no_args_is_help=True, help="Bring in your own customers and products from CSV files.")
cli.add_typer(imports, name="import")
slack = typer.Typer(no_args_is_help=True, help="Set up the Slack app.")
cli.add_typer(slack, name="slack")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line. What the caller can put right is one line and exit code 2, never a stack trace."""
    try:
        cli()
    except ConfigError as error:
        err.print(f"dealdesk: {error}", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


# ---------------------------------------------------------------- joining the parts


def open_database(url: str) -> Database:
    """The database with today's tables; made when there is none."""
    try:
        database = Database(url)
        upgrade(database)
    except (ArgumentError, ModuleNotFoundError, SQLAlchemyError, OSError) as error:
        why = str(getattr(error, "orig", None) or error).partition("\n")[0]
        where = settings.without_password(url)
        remedy = "Check DEALDESK_DATABASE_URL and that it is running"
        raise ConfigError(f"{where}: the database cannot be used ({why}). {remedy}.") from None
    return database


def load_company(path: Path) -> Company:
    """The company of the file; without a file an empty one, which is enough to import and to understand."""
    if path.exists():
        return company.load(path)[0]
    return Company(name="Dealdesk", roster=Roster.of([]))


@contextmanager
def running(
    database: Database, firm: Company, adapters: Sequence[Adapter], pen: Pen, places: Sequence[str]
) -> Iterator[App]:
    """An App at work, stopped cleanly at the end. `places`: the platforms set up, in this process or another."""
    app = App(
        books=database.turn,
        outbox=TableOutbox(database),
        company=firm,
        adapters=adapters,
        draw=pen.draw,
        platforms=places,
    )
    app.start()
    try:
        yield app
    finally:
        app.stop()
        pen.close()
        database.close()


def _settings() -> Settings:
    found = settings.read()
    logging.basicConfig(level=found.log.upper(), format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    return found


def _or_demo(found: Settings) -> Settings:
    """These settings when there is a company; the demo company's, made now, in a folder where nothing was set up."""
    if found.company.exists():
        return found
    if found.given:
        raise ConfigError(f"{found.company}: there is no company yet. `dealdesk init` writes one to start from.")
    demo_settings = settings.demo()
    _make_demo(demo_settings)
    return demo_settings


# ---------------------------------------------------------------- talking


@cli.command()
def chat(
    who: Annotated[str, typer.Option("--as", help="The person you talk as: an id, a name or an alias.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, in and out.")] = False,
) -> None:
    """Talk as one person, in the terminal. Buttons are numbers; charts are saved to a file that is named.

    Example: dealdesk chat --as tom
    """
    found = _or_demo(_settings())
    firm = load_company(found.company)
    person = company.find(firm, who)
    adapter = ConsoleAdapter(person.id, found.folder / "charts" / person.id, out, as_json=as_json)
    with running(open_database(found.database_url), firm, [adapter], Pen(), platforms.names(found)) as app:
        if not as_json and sys.stdin.isatty():
            out.print(f"You are {person.name} ({person.role}) at {firm.name}. Try “help”; Ctrl-D leaves.", markup=False)
        adapter.run(typed_lines(out, f"{person.id}> "), app.delivery.drain)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Listen there instead of on loopback.")] = "",
    port: PORT = -1,
) -> None:
    """Serve the browser playground until Ctrl-C.

    Example: dealdesk serve --port 9000
    """
    found = _or_demo(_settings())
    found = replace(found, host=host or found.host, port=port if port >= 0 else found.port)
    _serve(found, load_company(found.company), open_database(found.database_url))


def _serve(found: Settings, firm: Company, database: Database) -> None:
    from bot.server import Server  # noqa: PLC0415 -- the web server costs a fifth of a second to import

    setup = platforms.build(found, firm, TableShelf(database))
    for line in setup.absent:
        out.print(line, markup=False)
    server = Server(setup.routes, found.host, found.port)
    ends = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ends.set())
    # The server first: Telegram may call as soon as it knows where.
    try:
        address = server.start()
    except OSError as error:
        raise ConfigError(f"{found.host}:{found.port}: cannot listen there ({error.strerror}).") from None
    with running(database, firm, setup.adapters, Pen(), setup.names):
        if server.moved:
            out.print(f"Port {found.port} is busy, so another one was taken.", markup=False)
        out.print(f"\nDealdesk listens on {address}", markup=False)
        out.print("Whoever can open that page can act as anyone in this company. Ctrl-C ends it.", markup=False)
        sys.stdout.flush()
        ends.wait()
    server.stop()


# ---------------------------------------------------------------- the demo company


@cli.command()
def demo(
    *,
    tour_only: Annotated[bool, typer.Option("--tour-only", help="Stop after the tour.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what was done and begin again.")] = False,
    port: PORT = -1,
) -> None:
    """Make the demo company, play a short tour of it, then serve the playground.

    Example: dealdesk demo --fresh
    """
    found = settings.demo()
    if fresh:
        _throw_away(found)
    new = _make_demo(found)
    firm = load_company(found.company)
    if new or tour_only:
        _tour(found, firm)
    else:
        out.print("The demo company is as you left it. `make demo-tour` plays the tour again.")
    if not tour_only:
        found = replace(found, port=port if port >= 0 else found.port)
        _serve(found, firm, open_database(found.database_url))


def _make_demo(found: Settings) -> bool:
    """Write the demo company's files and fill its database; False when that was done before."""
    from storage import seed  # noqa: PLC0415

    ready = found.folder / settings.READY
    if ready.exists():
        return False
    _throw_away(found)
    company.begin(found.folder, Path(seed.__file__).parent, over=True)
    database = open_database(found.database_url)
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("Making the demo company", total=None)
        seed.fill(
            database,
            load_company(found.company),
            datetime.now(UTC),
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    database.close()
    ready.write_text("The demo company is complete. Delete this folder to begin again.\n", encoding="utf-8")
    return True


def _throw_away(found: Settings) -> None:
    for name in (settings.READY, "dealdesk.db", "dealdesk.db-wal", "dealdesk.db-shm"):
        (found.folder / name).unlink(missing_ok=True)


def _tour(found: Settings, firm: Company) -> None:
    from bot import tour  # noqa: PLC0415

    database = open_database(found.database_url)
    shelf = TableShelf(database)
    heard = tour.Heard(platforms.web(found, firm, shelf), shelf, found.folder / "charts")
    pen = Pen()
    pen.warm()
    with running(database, firm, [heard], pen, ["web"]) as app:
        tour.play(app, heard, firm, out)


# ---------------------------------------------------------------- one's own company


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path(),
) -> None:
    """Write a commented company.toml and policy.toml to start your own company from.

    Example: dealdesk init .
    """
    for path in company.begin(folder):
        out.print(f"wrote {path}", markup=False)
    out.print("Next: put your people into company.toml, then `dealdesk import products FILE.csv` and `dealdesk serve`.")


@imports.command("customers")
def import_customers(path: CSV, *, dry_run: DRY = False) -> None:
    """Columns: name, and optionally aliases (several separated by ;), sector, country, region, owner.

    Example: dealdesk import customers customers.csv --dry-run
    """
    _import(path, "customers", dry_run=dry_run)


@imports.command("products")
def import_products(path: CSV, *, dry_run: DRY = False) -> None:
    """Columns: name, list_price, and optionally currency, family, aliases (several separated by ;).

    Example: dealdesk import products products.csv
    """
    _import(path, "products", dry_run=dry_run)


def _import(path: Path, what: str, *, dry_run: bool) -> None:
    found = _settings()
    firm = load_company(found.company)
    with open_database(found.database_url).turn() as book:
        if what == "customers":
            plan = catalogue.customers(path, book, firm.roster, datetime.now(UTC))
        else:
            plan = catalogue.products(path, book, firm.currency)
        if plan.errors:
            raise ConfigError(plan.complaint(path))
        if not dry_run:
            plan.keep(book)
            book.commit()
    out.print(
        f"{settings.without_password(found.database_url)}: {what}: {plan.told(dry_run=dry_run)}",
        markup=False,
        soft_wrap=True,
    )


@cli.command()
def understand(
    text: Annotated[list[str] | None, typer.Argument(help="What somebody might type.")] = None,
    *,
    now: Annotated[str, typer.Option(help="The moment it was said, like 2026-11-21T09:00:00+00:00.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON out; without TEXT, one JSON object a line in.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say how the reading came about.")] = False,
) -> None:
    """Say how a message is understood. Nothing is written.

    Example: dealdesk understand "order 50 Pro seats for Acme at $20"
    """
    from bot import understanding  # noqa: PLC0415

    found = _settings()
    moment = understanding.moment(now)
    firm = load_company(found.company)
    with open_database(found.database_url).turn() as book:
        names = understanding.names(book, firm)
    if text:
        reading = understanding.read(" ".join(text), names, moment)
        if as_json:
            print(json.dumps(reading, ensure_ascii=False))  # noqa: T201
        else:
            out.print("\n".join(understanding.told(reading, explain=explain)), markup=False, soft_wrap=True)
        return
    for line in understanding.answers(sys.stdin, names, moment):
        print(line, flush=True)  # noqa: T201


@cli.command()
def doctor() -> None:
    """Look at the set-up: tokens, scopes, reachability, clock, database; and say what to do about each finding.

    Example: dealdesk doctor
    """
    found = _settings()
    firm = load_company(found.company)
    findings = [(f"company: {found.company}", found.company.exists(), "`dealdesk init` writes one")]
    open_database(found.database_url).close()
    findings.append(
        (f"database: {settings.without_password(found.database_url)} answers and has today's tables", True, "")
    )
    findings += platforms.examine(found, firm)
    out.print(platforms.told(findings), markup=False)
    if not all(well for _, well, _ in findings):
        raise typer.Exit(1)


@slack.command("manifest")
def slack_manifest(
    *, http: Annotated[bool, typer.Option("--http", help="Signed requests instead of Socket Mode.")] = False
) -> None:
    """Print the app manifest to paste at api.slack.com/apps (Create New App, From a manifest).

    Example: dealdesk slack manifest > manifest.json
    """
    from bot.adapters.slack.manifest import manifest  # noqa: PLC0415

    try:
        made = manifest("http" if http else "socket", settings.read().public_url)
    except ValueError as error:
        raise ConfigError(f"DEALDESK_PUBLIC_URL: {error}") from None
    print(json.dumps(made, indent=2, ensure_ascii=False))  # noqa: T201


@cli.command()
def link(
    who: Annotated[str, typer.Argument(help="Whose login it will be: an id, a name or an alias.")],
) -> None:
    """Print a one-time code that links a chat login to a person: whoever says it to the bot is taken for them.

    Example: dealdesk link tom
    """
    found = _settings()
    firm = load_company(found.company)
    person = company.find(firm, who)
    with open_database(found.database_url).turn() as book:
        code = presence.new_code(Desk(book, firm, person, datetime.now(UTC)))
        book.commit()
    out.print(f"{code}\nSay it to Dealdesk in a private chat within a day (Telegram: /start {code}).", markup=False)


if __name__ == "__main__":
    main()
