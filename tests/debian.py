"""Programs of Debian packages that some tests need (`.ci/debian` installs them where it may)."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def installed(program: str, package: str) -> str:
    """The program's path; where it is missing the test is skipped, and under CI it fails."""
    found = shutil.which(program)
    if found is None:
        missing(f"{program} is not installed: apt-get install {package}")
    return found


def missing(said: str) -> NoReturn:
    """The test is skipped, and under CI it fails."""
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)
