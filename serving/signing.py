"""Signed releases: Ed25519 (RFC 8032) over the manifest, which holds the hash of every other file.

`manifest.sig` stands beside the manifest: 64 bytes, in base64. The private key is in the environment
of what deploys and nowhere else; whoever has the public key refuses what was not signed with it.
Several public keys, separated by commas, are trusted alike, so that a key can be replaced.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from charter import Refusal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE, PUBLIC = "PERENNIAL_SIGNING_KEY", "PERENNIAL_PUBLIC_KEY"
SIGNATURE = "manifest.sig"
MANIFEST = "manifest.json"
KEY = 32  # bytes of either key


class Pair(NamedTuple):
    """Both keys in base64."""

    private: str
    public: str


def generate() -> Pair:
    """A new pair."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return Pair(_text(key.private_bytes_raw()), _text(key.public_key().public_bytes_raw()))


def signer() -> Ed25519PrivateKey | None:
    """The private key of the environment; None where there is none, refused where it is no key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = os.environ.get(PRIVATE, "").strip()
    return Ed25519PrivateKey.from_private_bytes(_bytes(text, PRIVATE)) if text else None


def need(why: str) -> None:
    """Refuse where nothing can be signed."""
    if signer() is None:
        raise Refusal(
            f"the environment, {PRIVATE}", "found none", f"wanted the key that signs, {why}",
            f'`perennial keys` makes a pair; then export {PRIVATE}="$(cat perennial.key)".',
        )  # fmt: skip


def need_trusted(why: str) -> None:
    """Refuse where no key is trusted."""
    if not trusted():
        raise Refusal(
            f"the environment, {PUBLIC}", "found none", f"wanted a public key, {why}",
            f"Export {PUBLIC} as `perennial keys` has shown it.",
        )  # fmt: skip


def trusted() -> tuple[str, ...]:
    """The public keys of the environment, in base64: those given, else that of the private one."""
    found = [text.strip() for text in os.environ.get(PUBLIC, "").split(",") if text.strip()]
    if found:
        return tuple(_text(_bytes(text, PUBLIC)) for text in found)
    key = signer()
    return (_text(key.public_key().public_bytes_raw()),) if key else ()


def sign(folder: Path) -> bool:
    """Write the signature of a release; False where there is no key. Safe to repeat."""
    key = signer()
    if key is None:
        return False
    text = _text(key.sign((folder / MANIFEST).read_bytes())) + "\n"
    new = folder / f".{SIGNATURE}.{os.getpid()}"
    new.write_text(text)
    new.replace(folder / SIGNATURE)
    return True


def verify(folder: Path) -> None:
    """Refuse a release that no trusted key signed; nothing is asked where no key is trusted."""
    keys = trusted()
    if not keys:
        return
    try:
        signature = base64.b64decode((folder / SIGNATURE).read_bytes().strip(), validate=True)
    except FileNotFoundError:
        raise _refusal(folder, "found no signature") from None
    except binascii.Error:
        raise _refusal(folder, f"found a {SIGNATURE} that is none") from None
    manifest = (folder / MANIFEST).read_bytes()
    if not any(_signed(manifest, signature, key) for key in keys):
        raise _refusal(folder, "found a signature of another key, or of another manifest")


def _signed(content: bytes, signature: bytes, key: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str, where: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        content = b""
    if len(content) != KEY:
        raise Refusal(
            f"the environment, {where}", "found what is no key",
            f"wanted {KEY} bytes in base64", "`perennial keys` makes a pair.",
        )  # fmt: skip
    return content


def _refusal(folder: Path, found: str) -> Refusal:
    return Refusal(
        f"release {folder}", found, f"wanted the manifest signed with a key of {PUBLIC}",
        "Deploy it again where the key is (`perennial train`), or put the release back from a copy.",
    )  # fmt: skip
