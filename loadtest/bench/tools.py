"""Installs the programs that a run needs: Debian's packages, oha by cargo, locust by pip."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys

from bench.paths import BINARIES, CACHE, LOADTEST, OTHER_BINARIES, REPOSITORY

OHA_VERSION = "1.16.0"

# A program or file, and the Debian package that contains it.
_PACKAGES = {
    "nginx": "nginx",
    "haproxy": "haproxy",
    "redis-server": "redis-server",
    "wrk": "wrk",
    "openssl": "openssl",
    "strace": "strace",
    "slowhttptest": "slowhttptest",
    "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
    "/usr/share/lua/5.1/nginx/redis.lua": "lua-nginx-redis",
    "/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so": "lua-cjson",
}


def debian():
    """Installs the packages of all load tests that are missing."""
    install(_PACKAGES)


def install(packages):
    """Installs the Debian packages of the programs and files that are missing."""
    missing = sorted({package for need, package in packages.items() if not is_installed(need)})
    if missing:
        print("installing", *missing, flush=True)
        as_root = [] if os.getuid() == 0 else ["sudo"]
        env = ["env", "DEBIAN_FRONTEND=noninteractive"]
        subprocess.run([*as_root, *env, "apt-get", "update", "-q"], check=True)
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
        subprocess.run([*as_root, *env, *command, *missing], check=True)


def is_installed(need):
    """Whether a program is found, or a file is there."""
    return pathlib.Path(need).exists() if need.startswith("/") else find(need) is not None


def find(program):
    """Returns a program's path; a user's PATH may lack the folder of Debian's servers."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def oha():
    """Returns the path of oha: from the PATH, or built once into the cache."""
    path = shutil.which("oha") or shutil.which("oha", path=str(CACHE / "bin"))
    if path is None:
        print(f"building oha {OHA_VERSION} into {CACHE}, once", flush=True)
        command = ["cargo", "install", "oha", "--version", OHA_VERSION, "--locked", "--root", str(CACHE)]
        subprocess.run(command, check=True)
        path = str(CACHE / "bin" / "oha")
    return path


def locust():
    """Returns the path of locust in a virtual environment in the cache; requirements.txt pins its version."""
    venv = CACHE / "venv"
    wanted = (LOADTEST / "requirements.txt").read_text()
    installed = venv / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [str(venv / "bin" / "pip"), "install", "-q", "-r", str(LOADTEST / "requirements.txt")]
        subprocess.run(pip, check=True)
        installed.write_text(wanted)
    return venv / "bin" / "locust"


def release(program):
    """Builds a program of this repository and returns its path; with RELAY_BINARIES, the gateway in that folder."""
    if OTHER_BINARIES and program == "gateway":
        if not (BINARIES / program).exists():
            sys.exit(f"RELAY_BINARIES: there is no {BINARIES / program}")
        return BINARIES / program
    _build()
    return REPOSITORY / "target" / "release" / program


def ledger_example(name):
    """Returns an example of the ledger's crate: built, or with RELAY_BINARIES the one in that folder."""
    if OTHER_BINARIES and (BINARIES / name).exists():
        return BINARIES / name
    command = ["cargo", "build", "-q", "--release", "--locked", "-p", "relay-ledger", "--example", name]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    return REPOSITORY / "target" / "release" / "examples" / name


@functools.cache
def _build():
    command = ["cargo", "build", "-q", "--release", "--locked"]
    command += ["-p", "relay-gateway", "-p", "relay-simulator"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
