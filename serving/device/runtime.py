"""ONNX Runtime for browsers, as its npm package has it; fetched when a release is made, never at run time.

`onnxruntime-web.json` pins the version, the hash of the package and those of the files that are taken
from it. They lie beside the releases, and are served only as they were pinned.
"""

from __future__ import annotations

from pathlib import Path

from charter import Frozen
from serving.bundle import sha256

MEDIA = {".mjs": "text/javascript; charset=utf-8", ".wasm": "application/wasm"}


class Pin(Frozen):
    """Which package, and what of it."""

    package: str
    version: str
    integrity: str
    """Of the package, as npm has it: `sha512-` and base64."""
    files: dict[str, str]
    """Name under `dist/` to SHA-256."""

    @property
    def name(self) -> str:
        return f"{self.package}-{self.version}"


PIN = Pin.model_validate_json((Path(__file__).parent / "onnxruntime-web.json").read_bytes())


def whole(folder: Path) -> bool:
    """Whether every file is in the folder as it was pinned."""
    return all(read(folder, name) is not None for name in PIN.files)


def read(folder: Path, name: str) -> bytes | None:
    """A file of the runtime; None where it is not there, or not as it was pinned."""
    try:
        content = (folder / name).read_bytes() if name in PIN.files else b""
    except OSError:
        return None
    return content if sha256(content) == PIN.files.get(name) else None
