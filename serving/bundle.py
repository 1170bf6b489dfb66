"""What is delivered: a folder whose every file is named with its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from charter import Frozen, Refusal
from serving.signature import Decision, Signature
from serving.signing import SIGNATURE

MANIFEST = "manifest.json"
NEEDED = ("model.onnx", "signature.json", "decision.json")
REMEDY = "Take the folder from its release again, or package the model anew."


class Manifest(Frozen):
    """Every file with its SHA-256, and where the model comes from."""

    project: str
    fingerprint: str
    refit_of: str = ""
    """Fingerprint of the bundle that was judged, where this is its model fitted once more, on the
    holdout too."""
    created: datetime
    files: dict[str, str]
    """Path inside the folder to SHA-256; a bundle holds nothing else."""
    charter: str = ""
    """Fingerprint of the charter."""
    tables: dict[str, int] = {}
    """Place of each table, relative to the root, to its version."""
    training: str = ""
    """Fingerprint of the training rows."""
    until: float | None = None
    """The latest `data.time` among the training rows, in seconds since 1970."""
    study: str = ""
    """Fingerprint of the study."""
    family: str = ""
    params: dict[str, bool | int | float | str | None] = {}
    """What the family was fitted with; where the next search begins."""
    generated: str = ""
    """What made the rows that it was fitted with besides the real ones; empty without."""
    lock: str | None = None
    """SHA-256 of `requirements.lock`."""
    commit: str | None = None
    """Git commit of the working directory."""
    libraries: dict[str, str] = {}
    """Versions of what fitted and converted the model."""

    @property
    def judged(self) -> str:
        """Fingerprint of the bundle that was judged: of this one, or of what it is a refit of."""
        return self.refit_of or self.fingerprint


@dataclass(frozen=True)
class Artifact:
    """A verified bundle."""

    folder: Path
    manifest: Manifest
    signature: Signature
    decision: Decision
    model: bytes
    """The ONNX file, read once, so that what was verified is what runs."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def load(folder: Path) -> Artifact:
    """Read the bundle and verify each file; a file that is absent, changed or not listed
    is refused."""
    manifest = _manifest(folder)
    for name in NEEDED:
        if name not in manifest.files:
            raise _refusal(folder, f"found no {name} in {MANIFEST}", "wanted a whole bundle")
    _nothing_else(folder, manifest)
    kept = {name: _verified(folder, name, wanted) for name, wanted in manifest.files.items()}
    try:
        signature = Signature.model_validate_json(kept["signature.json"])
        decision = Decision.model_validate_json(kept["decision.json"])
    except ValidationError as error:
        raise _refusal(folder, f"found {_first(error)}", "wanted papers of this version") from None
    return Artifact(folder, manifest, signature, decision, kept["model.onnx"])


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise _refusal(folder, f"found no {MANIFEST}", "wanted a bundle") from None
    except ValidationError as error:
        found = f"found {_first(error)} in {MANIFEST}"
        raise _refusal(folder, found, "wanted a bundle of this version") from None


def _verified(folder: Path, name: str, wanted: str) -> bytes:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise _refusal(folder, f"found the path {name}", "wanted files inside the folder")
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise _refusal(folder, f"found no readable {name}", "wanted every listed file") from None
    if sha256(content) != wanted:
        raise _refusal(folder, f"found {name} changed", f"wanted SHA-256 {wanted[:12]}…")
    return content if name in NEEDED else b""


def _nothing_else(folder: Path, manifest: Manifest) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    strangers = sorted(there - set(manifest.files) - {MANIFEST, SIGNATURE})
    if strangers:
        raise _refusal(folder, f"found {strangers[0]}", "wanted only the files of the manifest")


def _refusal(folder: Path, found: str, wanted: str) -> Refusal:
    return Refusal(f"bundle {folder}", found, wanted, REMEDY)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
