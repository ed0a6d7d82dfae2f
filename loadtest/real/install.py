"""Installs what a run needs: from Debian by apt-get, from PyPI and npm into the cache."""

import pathlib
import shutil
import subprocess
import sys
import threading

from bench import tools
from bench.paths import CACHE

_HERE = pathlib.Path(__file__).resolve().parent
_lock = threading.Lock()


class Unavailable(Exception):
    """Something could not be installed."""


def debian(needs):
    """Installs the packages of the programs and files that are missing."""
    with _lock:
        try:
            tools.install(dict(needs))
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"apt-get failed with {error.returncode}") from error
        missing = [need for need, _package in needs if not tools.is_installed(need)]
        if missing:
            raise Unavailable(f"{missing[0]} is missing")


def python():
    """Returns a Python that has the packages of requirements.txt."""
    with _lock:
        venv = CACHE / "real-venv"
        if _is_stale(venv, "requirements.txt"):
            shutil.rmtree(venv, ignore_errors=True)
            _run([sys.executable, "-m", "venv", venv])
            _run([venv / "bin" / "pip", "install", "-q", "-r", _HERE / "requirements.txt"])
            _finish(venv, "requirements.txt")
        return venv / "bin" / "python"


def node_modules():
    """Returns a folder in which Node finds the packages of package.json."""
    debian((("node", "nodejs"), ("npm", "npm")))
    with _lock:
        folder = CACHE / "real-npm"
        if _is_stale(folder, "package.json"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            shutil.copy(_HERE / "package.json", folder)
            _run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder)
            _finish(folder, "package.json")
        return folder


def _is_stale(folder, wanted):
    installed = folder / "installed"
    return not installed.exists() or installed.read_text() != (_HERE / wanted).read_text()


def _finish(folder, wanted):
    (folder / "installed").write_text((_HERE / wanted).read_text())


def _run(command, **options):
    try:
        subprocess.run(list(map(str, command)), check=True, **options)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"{pathlib.Path(command[0]).name} failed: {error}") from error
