"""What personal data look like inside a text: a pattern that RE2 finds, and a check of its own.

Patterns find candidates over whole columns in Arrow; the check (a checksum, the length of a number)
sees only those. `rarely` is for kinds that chance often makes: there at least half of the candidates
have to pass the check, which hardly any of sixteen random digits do together (Luhn: one in ten).

Presidio's recognisers on a blank spaCy model were measured and left out: 299 MB more to install, 20 to
150 s for 100,000 texts (these take 0.2 s), and less found of what the tests plant (phones 85 %, names
and streets none, since these need a language model), with a find in 3 % of texts without any.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tasks.protection.given_names import GIVEN


def _always(text: str) -> bool:
    return True


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B, and a length and beginning that issuers give out."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    if (sum(digits[-1::-2]) + sum(doubled)) % 10 or len(set(digits)) < 3:
        return False
    return _ISSUED.fullmatch("".join(map(str, digits))) is not None


def iban(text: str) -> bool:
    """ISO 13616: moved to the end, the first four characters leave 1 modulo 97."""
    plain = text.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def _phone(text: str) -> bool:
    """As many digits as a number has (ITU-T E.164), its extension left out."""
    least = 8 if text.startswith("+") else 9
    return least <= sum(one.isdigit() for one in text.partition("x")[0]) <= 15


def _social_security(text: str) -> bool:
    """Numbers that the agency gives out (SSA, 2011)."""
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _address_of_a_machine(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_ISSUED = re.compile(
    r"4(\d{12}|\d{15}|\d{18})|(5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}"
    r"|(2131|1800)\d{11}|(6011|64[4-9]\d|65\d\d)\d{12}|62\d{14,17}|(50|5[6-8]|6[3-9])\d{10,17}"
)


_JOINS = tuple("-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class Recogniser:
    """One kind of personal data."""

    kind: str
    pattern: str
    """For RE2 and for Python alike."""
    check: Callable[[str], bool] = _always
    rarely: bool = False
    """Whether chance makes candidates, so that a column has to pass as a whole."""
    several: bool = False
    """Whether one text is no find: districts and makers are called after people."""
    alone: bool = False
    """Whether it may not be a part of a longer number."""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def pattern_is_enough(self) -> bool:
        return self.check is _always and not self.alone

    def holds(self, text: str) -> bool:
        """Whether the text has one."""
        return any(self._is_one(found) for found in self.compiled.finditer(text))

    def masked(self, text: str) -> str:
        """The text with its kind in place of each."""
        veil = f"[{self.kind}]"
        return self.compiled.sub(lambda found: veil if self._is_one(found) else found[0], text)

    def _is_one(self, found: re.Match[str]) -> bool:
        before = found.string[max(found.start() - 1, 0) : found.start()]
        after = found.string[found.end() : found.end() + 1]
        if self.alone and (before in _JOINS or after.isalnum() or after == "-"):
            return False
        return self.check(found[0])


RECOGNISERS = (
    Recogniser("email", r"[\w.%+'-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"),
    Recogniser("iban", r"\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b", iban),
    Recogniser("card", r"\b(?:\d{12,19}|\d{4}(?:[ -]\d{4}){2}[ -]\d{1,7}|\d{4}[ -]\d{6}[ -]\d{4,5})\b", luhn, rarely=True),
    Recogniser("social security", r"\b\d{3}-\d{2}-\d{4}\b", _social_security),
    Recogniser("insurance", r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
    Recogniser(
        "phone",
        r"(?:\+[1-9]\d{0,2}[ ./-]?|\b00[1-9]\d{0,2}[ ./-])(?:\(0?\d{1,5}\)|\d{1,5})(?:[ ./-]?\d{1,4}){1,5}(?:x\d+)?\b"
        r"|(?:\(\d{3}\) ?|\b(?:1[ .-])?[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?:x\d+)?\b"
        r"|(?:\(0\d{1,5}\)[ /-]*|\b0\d{1,5}[ /-]+)\d{2,8}(?:[ -]\d{1,5}){0,3}\b"
        r"|\b0[1-9]\d{8,9}\b",
        _phone,
        alone=True,
    ),
    Recogniser("IP address", r"\b(?:\d{1,3}\.){3}\d{1,3}\b", _address_of_a_machine),
    Recogniser(
        "IP address", r"(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,6}", _address_of_a_machine
    ),
    Recogniser("device", r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"),
    Recogniser(
        "name",
        rf"\b(?:Mr|Mrs|Ms|Dr|Prof|Herr|Frau|Mme|Sra?)\.? [A-Z]\w+\b|\b(?:{'|'.join(GIVEN)})"
        r"(?: [A-Z]\.?| [A-Z][a-z]+)? (?:(?:von|van|de|da|di|la|Mc|Mac|O')[ ']?)*[A-Z][a-z]+\b",
        several=True,
    ),
    Recogniser(
        "street",
        r"\b\d{1,5}[a-z]?,? (?:[A-Z][\w.'-]* ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr"
        r"|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace)\b"
        r"|\b[A-Z][\w-]*(?:straße|strasse|str\.|weg|platz|allee|gasse) \d{1,4}",
        several=True,
    ),
)  # fmt: skip
"""In the order in which texts are masked: what holds another kind comes before it."""
