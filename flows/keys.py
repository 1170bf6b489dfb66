"""The pair of keys for releases, written where only its owner reads it."""

from __future__ import annotations

import os
from pathlib import Path

from charter import Refusal
from flows.terminal import say_end
from serving.signing import PRIVATE, PUBLIC, generate


def make(output: Path) -> dict[str, str]:
    """Write the private key and show the public one; a key that is there is not replaced."""
    pair = generate()
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refusal(
            str(output), "found a file of this name", "wanted none",
            "Name another one with --output; without its key, nothing that it signed can be renewed.",
        ) from None  # fmt: skip
    with os.fdopen(descriptor, "w") as file:
        file.write(pair.private + "\n")
    said = {
        "where releases are made": f'export {PRIVATE}="$(cat {output})"',
        "where they are served": f"export {PUBLIC}={pair.public}",
    }
    say_end("keys", said)
    return {"private": str(output), "public": pair.public}
