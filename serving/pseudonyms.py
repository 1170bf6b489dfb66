"""Names of persons as keyed hashes: the same person has the same one in training and at run time.

HMAC-SHA-256 (RFC 2104), cut to 128 bits, over project, column and value, so that columns and projects
cannot be matched with each other. The key stands in PERENNIAL_KEY and nowhere else; its id stands
before each hash, as in `k1:9f86d081884c7d659a2feaa0c55ad015`. What is hashed is the value's one
spelling (`serving/identity.py`), whatever wrote it.

A new key goes behind the old ones, `PERENNIAL_KEY=k1:…,k2:…`: the hash under k2 is the hash of the
hash under k1, so what is stored is taken along without the names, which nobody has any more. From
then on, k1 alone recognises nobody.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from charter import Refusal
from serving.identity import identity

VARIABLE = "PERENNIAL_KEY"
LEAST = 32
"""Characters of a secret; 64 hexadecimal ones are 256 bits."""
_ENTRY = re.compile(r"([a-z0-9_]{1,16}):(\S+)")
_HASHED = re.compile(r"([a-z0-9_]{1,16}):([0-9a-f]{32})")


@dataclass(frozen=True)
class Key:
    """One key; it does not show itself."""

    name: str
    secret: bytes = field(repr=False)

    def sign(self, text: str) -> str:
        return hmac.digest(self.secret, text.encode(), "sha256").hex()[:32]


@dataclass(frozen=True)
class Pseudonyms:
    """What stands for persons in one project."""

    project: str
    keys: tuple[Key, ...]
    """Oldest first; the last one is that of new hashes."""

    def of(self, column: str, value: object) -> str:
        """The hash of a value, or the newest form of what is a hash already."""
        return self._of(column, identity(value))

    def named(self, column: str, value: object) -> str | None:
        """The same; None of what is missing."""
        spelling = identity(value)
        return self._of(column, spelling) if spelling else None

    def _of(self, column: str, spelling: str) -> str:
        known = self._known(spelling)
        if known is not None:
            return self._onward(*known)
        return self._onward(0, self._first(column, spelling))

    def _first(self, column: str, spelling: str) -> str:
        return self.keys[0].sign(f"{self.project}\0{column}\0{spelling}")

    def all(self, column: str, value: object) -> tuple[str, ...]:
        """Every form that the value has had, the newest last."""
        text = self._first(column, identity(value))
        found = [f"{self.keys[0].name}:{text}"]
        for key in self.keys[1:]:
            text = key.sign(text)
            found.append(f"{key.name}:{text}")
        return tuple(found)

    @property
    def seal(self) -> str:
        """Changes with the keys, and tells nothing of them."""
        return self.of("", "seal")

    def _known(self, value: str) -> tuple[int, str] | None:
        found = _HASHED.fullmatch(value) if ":" in value else None
        if found is None:
            return None
        names = [key.name for key in self.keys]
        if found[1] not in names:
            return None
        return names.index(found[1]), found[2]

    def _onward(self, at: int, text: str) -> str:
        for key in self.keys[at + 1 :]:
            text = key.sign(text)
        return f"{self.keys[-1].name}:{text}"


def pseudonyms(project: str) -> Pseudonyms:
    """Those of the keys in the environment; refused where there is none, or one that is weak."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        raise _refusal("found none", f'export {VARIABLE}="k1:$(openssl rand -hex 32)"')
    keys = tuple(_key(entry.strip(), at) for at, entry in enumerate(text.split(",")))
    names = [key.name for key in keys]
    if len(set(names)) < len(names):
        raise _refusal("found an id twice", "Give each key an id of its own.")
    return Pseudonyms(project, keys)


def is_pseudonym(value: str) -> bool:
    """Whether the text has the form of a hash."""
    return _HASHED.fullmatch(value) is not None


def replaced(row: dict[str, object], names: Iterable[str], hashes: Pseudonyms) -> dict[str, object]:
    """The row with its identifiers as hashes; one that is missing stays so."""
    return row | {name: hashes.named(name, row[name]) for name in names if name in row}


def _key(entry: str, at: int) -> Key:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise _refusal(f"found key {at + 1} without an id", "Write ID:SECRET, as in k1:0f3c…")
    if len(found[2]) < LEAST:
        raise _refusal(
            f"found a secret of {len(found[2])} characters in {found[1]}",
            f"Take at least {LEAST}: openssl rand -hex 32.",
        )
    return Key(found[1], found[2].encode())


def _refusal(found: str, remedy: str) -> Refusal:
    return Refusal(
        f"the environment, {VARIABLE}", found,
        "wanted the key under which names of persons are stored (privacy.identifiers)",
        f"{remedy} Keep it: without it nobody is recognised again.",
    )  # fmt: skip
