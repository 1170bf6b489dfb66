"""What can be wrong with a release: each kind of damage, done to a signed folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serving.bundle import sha256
from serving.signing import MANIFEST, SIGNATURE


def _unsigned(folder: Path) -> None:
    (folder / SIGNATURE).unlink()


def _garbage(folder: Path) -> None:
    (folder / SIGNATURE).write_text("no signature\n")


def _short(folder: Path) -> None:
    whole = base64.b64decode((folder / SIGNATURE).read_bytes())
    (folder / SIGNATURE).write_text(base64.b64encode(whole[:40]).decode())


def _another_key(folder: Path) -> None:
    signed = Ed25519PrivateKey.generate().sign((folder / MANIFEST).read_bytes())
    (folder / SIGNATURE).write_text(base64.b64encode(signed).decode())


def _another_model(folder: Path) -> None:
    """As somebody would do it who can write here and has no key: the hashes agree."""
    content = (folder / "model.onnx").read_bytes() + b"\n"
    (folder / "model.onnx").write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"]["model.onnx"] = sha256(content)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _changed(folder: Path) -> None:
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(bytes(content))


def _truncated(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[: len(content) // 2])


def _cut_manifest(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).write_bytes(content[:-20])


def _gone(folder: Path) -> None:
    (folder / "model.onnx").unlink()


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "unsigned": (_unsigned, "no signature"),
    "a signature that is none": (_garbage, "that is none"),
    "half a signature": (_short, "another key"),
    "signed with another key": (_another_key, "another key"),
    "another model, its hash in the manifest": (_another_model, "another manifest"),
    "a bit of the model": (_changed, "model.onnx changed"),
    "half the model": (_truncated, "model.onnx changed"),
    "half the manifest": (_cut_manifest, "another manifest"),
    "no model": (_gone, "no readable model.onnx"),
}
"""What is done, and what is said of it by what verifies in a service."""
