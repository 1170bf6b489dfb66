"""Programs of Debian packages that some tests need (`.ci/debian` installs them where it may)."""

from __future__ import annotations

import os
import shutil

import pytest


def installed(program: str, package: str) -> str:
    """The program's path; where it is missing the test is skipped, and under CI it fails."""
    if found := shutil.which(program):
        return found
    said = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)
