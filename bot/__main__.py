"""The command line: joins settings, storage and platforms into an App and runs it. Nothing else knows both sides."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot import catalogue, company, settings
from bot.adapters.console import ConsoleAdapter, typed_lines
from bot.app import App
from bot.config import ConfigError
from bot.drawing import Pen
from bot.messages import Adapter
from bot.settings import Settings
from bot.text import Words
from core.desk import Company
from core.team import Person, Role, Roster
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.shelf import TableShelf
from storage.store import Database

if TYPE_CHECKING:
    from bot.adapters.web import WebPerson

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
USAGE = 2  # the exit code for what the caller can put right

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
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line. What the caller can put right is one line and exit code 2, never a stack trace."""
    try:
        cli()
    except ConfigError as error:
        err.print(f"dealdesk: {error}", markup=False, soft_wrap=True)
        sys.exit(USAGE)
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
        raise ConfigError(
            f"{_shown(url)}: the database cannot be used ({why}). Check DEALDESK_DATABASE_URL and that it is running."
        ) from None
    return database


def load_company(path: Path) -> Company:
    """The company of the file; without a file an empty one, which is enough to import and to understand."""
    if path.exists():
        return company.load(path)[0]
    return Company(name="Dealdesk", roster=Roster.of([]))


@contextmanager
def running(database: Database, firm: Company, adapters: Sequence[Adapter], pen: Pen) -> Iterator[App]:
    """An App at work, stopped cleanly at the end."""
    app = App(books=database.turn, outbox=TableOutbox(database), company=firm, adapters=adapters, draw=pen.draw)
    app.start()
    try:
        yield app
    finally:
        app.stop()
        pen.close()
        database.close()


def _shown(url: str) -> str:
    """A database's address without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url


def _settings() -> Settings:
    found = settings.read()
    logging.basicConfig(level=found.log.upper(), format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    return found


def _or_demo(found: Settings) -> Settings:
    """These settings when there is a company; the demo company's, made now, in a folder where nothing was set up."""
    if found.company.exists():
        return found
    if "DEALDESK_COMPANY" in os.environ or Path("dealdesk.db").exists():
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
    person = _person(firm, who)
    adapter = ConsoleAdapter(person.id, found.folder / "charts", out, as_json=as_json)
    with running(open_database(found.database_url), firm, [adapter], Pen()) as app:
        if not as_json and sys.stdin.isatty():
            out.print(f"You are {person.name} ({person.role}) at {firm.name}. Try “help”; Ctrl-D leaves.", markup=False)
        adapter.run(typed_lines(out, f"{person.id}> "), app.delivery.drain)


def _person(firm: Company, who: str) -> Person:
    wanted = who.strip().casefold()
    for person in firm.roster.people.values():
        if wanted in (person.id.casefold(), person.name.casefold(), *(alias.casefold() for alias in person.aliases)):
            return person
    people = ", ".join(f"{p.id} ({p.name}, {p.role})" for p in firm.roster.people.values())
    raise ConfigError(f"{who}: nobody of that name works here. There are {people or 'none yet: see dealdesk init'}.")


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Listen there instead of on loopback.")] = "",
    port: Annotated[int, typer.Option(help="A busy port picks another.")] = -1,
) -> None:
    """Serve the browser playground until Ctrl-C.

    Example: dealdesk serve --port 9000
    """
    found = _or_demo(_settings())
    found = replace(found, host=host or found.host, port=port if port >= 0 else found.port)
    _serve(found, load_company(found.company), open_database(found.database_url))


def _serve(found: Settings, firm: Company, database: Database) -> None:
    from bot.adapters.web import WebAdapter  # noqa: PLC0415 -- the web server costs a fifth of a second to import
    from bot.server import Server  # noqa: PLC0415

    people = _web_people(firm)
    hosts = () if found.host in LOOPBACK else (found.host,)
    web = WebAdapter(lambda: people, TableShelf(database), firm.name, allow_hosts=hosts)
    server = Server(web.routes, found.host, found.port)
    ends = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ends.set())
    with running(database, firm, [web], Pen()):
        address = server.start()
        if server.moved:
            out.print(f"Port {found.port} is busy, so another one was taken.", markup=False)
        out.print(f"\nDealdesk listens on {address}", markup=False)
        out.print("Whoever can open that page can act as anyone in this company. Ctrl-C ends it.", markup=False)
        sys.stdout.flush()
        ends.wait()
    server.stop()


def _web_people(firm: Company) -> list[WebPerson]:
    """Who can be chosen on the page: reps first, then those who approve, so that three panes show the whole path."""
    from bot.adapters.web import WebPerson  # noqa: PLC0415

    order, words = list(Role), Words(firm.language)
    people = sorted((p for p in firm.roster.people.values() if p.active), key=lambda p: order.index(p.role))
    return [WebPerson(p.id, p.name, words(f"role.{p.role}"), p.language, p.team) for p in people]


# ---------------------------------------------------------------- the demo company


@cli.command()
def demo(
    *,
    tour_only: Annotated[bool, typer.Option("--tour-only", help="Stop after the tour.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what was done and begin again.")] = False,
    port: Annotated[int, typer.Option(help="A busy port picks another.")] = -1,
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
        out.print("The demo company is as you left it. `make demo-tour` plays the tour again.", markup=False)
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
    found.folder.mkdir(parents=True, exist_ok=True)
    for name in ("company.toml", "policy.toml"):
        copyfile(Path(seed.__file__).parent / name, found.folder / name)
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
    from bot.adapters.web import WebAdapter  # noqa: PLC0415

    database = open_database(found.database_url)
    people = _web_people(firm)
    web = WebAdapter(lambda: people, TableShelf(database), firm.name)
    heard = tour.Heard(web, TableShelf(database), found.folder / "charts")
    with running(database, firm, [heard], Pen()) as app:
        tour.play(app, heard, firm, out)


# ---------------------------------------------------------------- one's own company


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path(),
) -> None:
    """Write a commented company.toml and policy.toml to start your own company from.

    Example: dealdesk init .
    """
    files = [folder / name for name in ("company.toml", "policy.toml")]
    standing = [path for path in files if path.exists()]
    if standing:
        raise ConfigError(f"{standing[0]}: is there already, and was left alone. Name another folder, or move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        copyfile(HERE / "templates" / path.name, path)
        out.print(f"wrote {path}", markup=False)
    out.print("Next: put your people into company.toml, then `dealdesk import products FILE.csv` and `dealdesk serve`.")


@imports.command("customers")
def import_customers(
    path: Annotated[Path, typer.Argument(metavar="FILE.csv")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Columns: name, and optionally aliases (several separated by ;), sector, country, region, owner.

    Example: dealdesk import customers customers.csv --dry-run
    """
    _import(path, "customers", dry_run=dry_run)


@imports.command("products")
def import_products(
    path: Annotated[Path, typer.Argument(metavar="FILE.csv")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Columns: name, list_price, and optionally currency, family, aliases (several separated by ;).

    Example: dealdesk import products products.csv
    """
    _import(path, "products", dry_run=dry_run)


def _import(path: Path, what: str, *, dry_run: bool) -> None:
    found = _settings()
    firm = load_company(found.company)
    database = open_database(found.database_url)
    now = datetime.now(UTC)
    with database.turn() as book:
        if what == "customers":
            plan = catalogue.customers(path, book, firm.roster, now)
        else:
            plan = catalogue.products(path, book, firm.currency)
        if plan.errors:
            for line in plan.errors[: catalogue.SHOWN_ERRORS]:
                err.print(f"{path}, {line}", markup=False, soft_wrap=True)
            rest = len(plan.errors) - catalogue.SHOWN_ERRORS
            more = f" ({rest} more)" if rest > 0 else ""
            raise ConfigError(f"{path}: nothing was imported{more}. Mend these lines and try again.")
        if not dry_run:
            plan.keep(book)
            book.commit()
    would = "would be " if dry_run else ""
    told = f"{len(plan.added)} {would}added, {len(plan.changed)} {would}changed, {plan.same} unchanged"
    out.print(f"{_shown(found.database_url)}: {what}: {told}", markup=False)


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
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(understanding.answer(line, names, moment), ensure_ascii=False), flush=True)  # noqa: T201


@cli.command()
def diagram() -> None:
    """Print the order's states and moves as a Mermaid diagram.

    Example: dealdesk diagram > order.mmd
    """
    from core.orders import approval  # noqa: PLC0415

    print(approval.diagram())  # noqa: T201


if __name__ == "__main__":
    main()
