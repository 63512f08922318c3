"""The house rules: which way the arrows point, and what has one home. Where a rule is broken, the line is named."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("bot", "core", "storage")
LONGEST = 400  # lines of a file; a longer one is asking to be two
FILES = sorted(path for part in PRODUCT for path in (ROOT / part).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
STANDARD = set(sys.stdlib_module_names)

# Libraries that have one home each, by the beginning of the file's path.
HOMES = {
    "transitions": ("core/orders/approval.py",),
    "pandas": ("core/reports/",),
    "numpy": ("core/reports/",),
    "matplotlib": ("core/reports/",),
    "PIL": ("core/reports/",),
    "sklearn": ("core/reports/", "core/customers/"),
    "sqlalchemy": ("storage/", "bot/__main__.py"),
    "alembic": ("storage/",),
    "dotenv": ("bot/settings.py",),
    "typer": ("bot/__main__.py",),
    "babel": ("bot/text/",),
    "slack_bolt": ("bot/adapters/",),
    "slack_sdk": ("bot/adapters/",),
    "telegram": ("bot/adapters/",),
}
CLOCKS = (  # everything else is told what time it is
    "bot/__main__.py",
    "bot/app.py",
    "bot/delivery.py",
    "bot/platforms.py",
    "bot/adapters/",
    "bot/tour.py",
    "bot/understanding.py",
)


def imports(tree: ast.AST, package: str = "") -> Iterator[tuple[int, str]]:
    """(line, module) of everything imported, also inside a function; `from a import b` may be the module a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
                )
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def package_of(name: str) -> str:
    return name.rpartition("/")[0].replace("/", ".")


def imported() -> Iterator[tuple[str, int, str]]:
    for name, tree in TREES.items():
        for line, module in imports(tree, package_of(name)):
            yield name, line, module


def calls() -> Iterator[tuple[str, int, str]]:
    """(file, line, what is called) with the dotted name as it is written, such as `book.commit`."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                yield name, node.lineno, ast.unparse(node.func)


def within(name: str, homes: tuple[str, ...]) -> bool:
    return any(name == home or (home.endswith("/") and name.startswith(home)) for home in homes)


# ---------------------------------------------------------------- arrows


def test_the_contracts_of_import_linter_are_kept() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["importlinter"]["contracts"]
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(  # noqa: S603 -- the tool that stands beside our own interpreter
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_core_imports_the_standard_library_and_money_and_a_few_in_their_own_place() -> None:
    allowed = STANDARD | {"core", "moneyed"}
    for name, line, module in imported():
        top = module.partition(".")[0]
        if name.startswith("core/") and top not in allowed:
            assert within(name, HOMES.get(top, ())), f"{name}:{line} imports {module}"


def test_every_library_with_one_home_stays_there() -> None:
    for name, line, module in imported():
        homes = HOMES.get(module.partition(".")[0])
        assert homes is None or within(name, homes), f"{name}:{line} imports {module}"


def test_only_the_command_line_knows_storage() -> None:
    for name, line, module in imported():
        if module.partition(".")[0] == "storage":
            assert within(name, ("storage/", "bot/__main__.py")), f"{name}:{line} imports {module}"


def test_storage_knows_nothing_of_the_conversation() -> None:
    for name, line, module in imported():
        if name.startswith("storage/"):
            assert module.partition(".")[0] != "bot", f"{name}:{line} imports {module}"


def platform(module: str) -> str:
    """`slack` of `bot.adapters.slack.text`."""
    return module.removeprefix("bot.adapters.").lstrip("_").partition("_")[0].partition(".")[0]


def test_an_adapter_knows_the_messages_its_own_files_and_no_other_part_of_ours() -> None:
    for name, line, module in imported():
        if not name.startswith("bot/adapters/") or module.partition(".")[0] not in PRODUCT:
            continue
        mine = platform(name.removesuffix(".py").replace("/", "."))
        of_mine = module.startswith("bot.adapters.") and platform(module) == mine
        fine = module in ("bot", "bot.adapters", "bot.messages") or module.startswith("bot.messages.") or of_mine
        assert fine, f"{name}:{line} imports {module}"


def test_an_adapter_is_imported_where_the_platforms_are_set_up_and_by_the_tour_only() -> None:
    for name, line, module in imported():
        if module.startswith("bot.adapters") and not name.startswith("bot/adapters/"):
            assert name in ("bot/__main__.py", "bot/platforms.py", "bot/tour.py"), f"{name}:{line} imports {module}"


def test_a_dialog_knows_no_other_dialog_and_no_platform() -> None:
    for name, line, module in imported():
        if not name.startswith(("bot/dialogs/", "bot/handlers/")):
            continue
        assert not module.startswith("bot.adapters"), f"{name}:{line} imports {module}"
        if name.startswith("bot/dialogs/") and module.startswith("bot.dialogs."):
            other = module.removeprefix("bot.dialogs.").partition(".")[0]
            assert other.startswith("_"), f"{name}:{line} imports {module}"


def test_customers_orders_and_reports_are_not_in_a_circle() -> None:
    arrows = set()
    for name, _, module in imported():
        here, there = name.split("/"), module.split(".")
        if here[0] == there[0] == "core" and len(there) > 1:
            arrows.add((here[1], there[1]))
    parts = {"customers", "orders", "reports"}
    direct = {(a, b) for a, b in arrows if a in parts and b in parts and a != b}
    assert not {(a, b) for a, b in direct if (b, a) in direct}
    assert direct <= {("orders", "customers"), ("reports", "orders"), ("reports", "customers")}


def test_the_nouns_of_core_know_nothing_of_its_verbs() -> None:
    for name, line, module in imported():
        if name.startswith("core/") and name.endswith("/model.py"):
            assert not module.startswith("core.") or ".service" not in module, f"{name}:{line} imports {module}"


# ---------------------------------------------------------------- one home each


def test_only_storage_commits_and_the_book_of_a_turn_is_closed_where_turns_are_run() -> None:
    for name, line, called in calls():
        if called.rpartition(".")[2] not in ("commit", "rollback"):
            continue
        closes = called == "book.commit" and name in ("bot/app.py", "bot/__main__.py")
        assert name.startswith("storage/") or closes, f"{name}:{line} calls {called}()"


def test_only_approval_moves_an_order() -> None:
    """A state is set by `advance`; anybody else who writes one walks past the table."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "replace":
                states = [word for word in node.keywords if word.arg == "state"]
                orders = [word for word in states if "StepState" not in ast.unparse(word.value)]
                if orders and name.startswith(("core/orders/", "bot/")) and name != "core/orders/approval.py":
                    assert ast.unparse(orders[0].value) == "outcome", f"{name}:{node.lineno} sets a state"


def test_the_environment_is_read_in_one_place() -> None:
    """And the command line asks once whether somebody named a company."""
    ways = ("os.environ", "os.getenv", "os.putenv")
    found = [
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ways
    ]
    assert set(found) <= {"bot/settings.py", "bot/__main__.py"}
    assert found.count("bot/__main__.py") <= 1


def test_the_clock_is_read_where_an_arrival_begins_and_passed_on_from_there() -> None:
    for name, line, called in calls():
        if called in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"):
            assert within(name, CLOCKS), f"{name}:{line} calls {called}()"


def test_chance_has_no_part_in_what_is_decided() -> None:
    """Only the codes that link a login are drawn by lot."""
    for name, line, module in imported():
        if name.startswith(("core/", "bot/dialogs/", "bot/handlers/")) and name != "core/presence.py":
            assert module.partition(".")[0] not in ("random", "secrets", "uuid"), f"{name}:{line} imports {module}"


def test_nothing_waits_by_sleeping() -> None:
    for name, line, called in calls():
        assert called not in ("time.sleep", "sleep"), f"{name}:{line} calls {called}()"


def test_only_the_command_line_prints() -> None:
    for name, line, called in calls():
        assert called != "print" or name == "bot/__main__.py", f"{name}:{line} prints"


# ---------------------------------------------------------------- size and style


@pytest.mark.parametrize("name", TREES)
def test_a_file_is_not_longer_than_it_is_comfortable(name: str) -> None:
    if "/migrations/versions/" in name:
        pytest.skip("written once by the tool and never read again")
    count = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    assert count <= LONGEST, f"{name} has {count} lines"


@pytest.mark.parametrize("name", [name for name in TREES if TREES[name].body])
def test_every_module_says_in_its_first_line_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(TREES[name]), f"{name} has no docstring"


def test_every_package_says_what_it_holds() -> None:
    packages = [name for name in TREES if name.endswith("__init__.py") and "migrations/versions" not in name]
    assert packages
    silent = [name for name in packages if not ast.get_docstring(TREES[name])]
    assert not silent


def test_money_is_never_a_float() -> None:
    """In what decides: a float in core (reports draw with them) would round where nobody sees it."""
    for name, line, called in calls():
        if name.startswith("core/") and not name.startswith("core/reports/"):
            assert called != "float", f"{name}:{line} makes a float"


VAGUE = ("Manager", "Helper", "Utils", "Util")


def test_nothing_is_named_for_nothing_in_particular() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(VAGUE), f"{name}:{node.lineno} class {node.name}"
        assert not name.endswith(("utils.py", "helpers.py", "misc.py")), name
