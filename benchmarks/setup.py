"""From a clean copy to ready, against plain pip on the same lock; and what `make` adds the second time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile, rmtree, which
from tempfile import TemporaryDirectory

from benchmarks._measure import ROOT, Row, Skip, rounds, told

LOCK = "requirements.lock"
# Ends the product's interpreter in the moment it would begin: what is left is what stood before it.
GATE = "import os, sys\nif 'demo' in sys.orig_argv:\n    os.write(1, b'here\\n')\n    os._exit(0)\n"


def run(*, quick: bool) -> list[Row]:
    for name in ("Makefile", LOCK):
        if not (ROOT / name).exists():
            raise Skip(f"there is no {name} here yet")
    for tool in ("make", "git"):
        if which(tool) is None:
            raise Skip(f"it needs {tool}")
    with TemporaryDirectory(prefix="dealdesk-setup-") as folder:
        here = Path(folder)
        found = rounds(1 if quick else 3, peer=lambda: _by_pip(here), product=lambda: _by_make(here))
        again = rounds(3 if quick else 9, product=lambda: _again(here))
    return [
        Row(
            "clean copy to ready",
            "s",
            found,
            ("product", "peer"),
            limit=0.5,
            note=f"`make setup` against venv and pip on the same {LOCK}, each with an empty download cache."
            " Both download, so that the network is in it.",
        ),
        Row("a second `make demo` before the product starts", "s", again, below=1.0),
    ]


def _copy(here: Path, name: str) -> Path:
    """What a clone would have: the files git knows or would take, without what is ignored."""
    target = here / name
    rmtree(target, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    shown = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    for path in filter(None, shown.stdout.split("\0")):
        if (ROOT / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            copyfile(ROOT / path, target / path)
    return target


def _environment(here: Path) -> dict[str, str]:
    cache = here / "cache"
    rmtree(cache, ignore_errors=True)
    kept = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS")}
    return {**kept, "PIP_CACHE_DIR": str(cache / "pip"), "UV_CACHE_DIR": str(cache / "uv")}


def _timed(commands: Sequence[Sequence[str]], cwd: Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    for command in commands:
        ran = subprocess.run([*command], cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode:
            raise Skip(f"`{' '.join(command)}` failed: {(ran.stderr or ran.stdout).strip()[-300:]}")
    return time.perf_counter() - began


def _by_make(here: Path) -> float:
    return _timed([["make", "setup", f"PYTHON={_base_python()}"]], _copy(here, "made"), _environment(here))


def _by_pip(here: Path) -> float:
    pip = [".venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    commands = [
        [_base_python(), "-m", "venv", ".venv"],
        [*pip, "--require-hashes", "-r", LOCK],
        [*pip, "--no-deps", "-e", "."],
    ]
    return _timed(commands, _copy(here, "pip"), _environment(here))


def _again(here: Path) -> float:
    gate = here / "gate"
    gate.mkdir(exist_ok=True)
    (gate / "sitecustomize.py").write_text(GATE)
    env = {**os.environ, "PYTHONPATH": str(gate)}
    began = time.perf_counter()
    ran = subprocess.run(["make", "demo"], cwd=here / "made", env=env, capture_output=True, text=True, check=False)  # noqa: S607
    took = time.perf_counter() - began
    if "here" not in ran.stdout:
        told(ran.stdout + ran.stderr)
        raise Skip("`make demo` did not reach the product")
    return took


def _base_python() -> str:
    """An interpreter that is in no virtual environment of its own."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = Path(sys.base_prefix) / "bin" / name
    return str(found) if found.exists() else sys.executable
