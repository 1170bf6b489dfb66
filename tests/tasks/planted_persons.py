"""Personal data made up for tests: each kind in the forms in which people write it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

GIVEN = ("Anna", "James", "Sophie", "Peter", "Maria", "Thomas", "Laura", "David", "Julia", "Karen")
FAMILY = ("Kowalski", "Okafor", "Lindqvist", "Moreau", "Brandt", "Silva", "Novak", "Byrne", "Costa")
TEXTS = (
    "{} called about the invoice", "please write to {}", "paid late, see {}", "{}", "new: {}; ok",
)  # fmt: skip


def planted(kind: str, draw: Random) -> str:
    """One find of the kind, alone or inside a text."""
    return draw.choice(TEXTS).format(KINDS[kind](draw))


def plain(draw: Random) -> str:
    """A text without any."""
    words = ("delivery", "late", "again", "order 2231", "12 boxes", "2024-03-01", "v2.1", "N14228")
    return " ".join(draw.sample(words, 3))


def _digits(draw: Random, count: int) -> str:
    return "".join(str(draw.randrange(10)) for _ in range(count))


def _email(draw: Random) -> str:
    given, family = draw.choice(GIVEN).lower(), draw.choice(FAMILY).lower()
    host = draw.choice(("example.org", "mail.example.co.uk", "post-amt.example.de"))
    return f"{given}{draw.choice(('.', '_', '-', ''))}{family}{draw.randrange(99)}@{host}"


def _card(draw: Random) -> str:
    body = draw.choice(("4", "51", "37", "6011", "35"))
    body += _digits(draw, (14 if body == "37" else 15) - len(body))
    total = sum(sum(divmod(2 * int(one), 10)) for one in body[-1::-2])
    total += sum(int(one) for one in body[-2::-2])
    whole = body + str(-total % 10)
    joint = draw.choice(("", " ", "-"))
    return joint.join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _iban(draw: Random) -> str:
    country, length = draw.choice((("DE", 18), ("NL", 14), ("FR", 23), ("GB", 18), ("NO", 11)))
    letters = {"NL": "ABNA", "GB": "BARC"}.get(country, "")
    body = letters + _digits(draw, length - len(letters))
    number = int("".join(str(int(one, 36)) for one in f"{body}{country}00"))
    whole = f"{country}{98 - number % 97:02}{body}"
    joint = draw.choice(("", " "))
    return joint.join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _phone(draw: Random) -> str:
    forms = (
        "+49 {3} {7}", "+44 20 {4} {4}", "+1-{0}-{0}-{4}", "({0}) {0}-{4}", "{0}.{0}.{4}",
        "0{3} {7}", "0049 {3} {6}", "0{3}/{6}", "+33 6 {2} {2} {2} {2}", "020 7{3} {4}",
    )  # fmt: skip
    form = draw.choice(forms).replace("{0}", "2{2}")
    for count in "234567":
        while f"{{{count}}}" in form:
            first = str(draw.randrange(1, 10))
            form = form.replace(f"{{{count}}}", first + _digits(draw, int(count) - 1), 1)
    return form


def _social(draw: Random) -> str:
    return f"{draw.randrange(100, 600)}-{draw.randrange(10, 99)}-{draw.randrange(1000, 9999)}"


def _machine(draw: Random) -> str:
    if draw.random() < 0.5:
        return ".".join(str(draw.randrange(1, 255)) for _ in range(4))
    return ":".join(f"{draw.randrange(1, 65536):x}" for _ in range(8))


KINDS: dict[str, Callable[[Random], str]] = {
    "email": _email,
    "card": _card,
    "iban": _iban,
    "phone": _phone,
    "social security": _social,
    "IP address": _machine,
    "device": lambda draw: ":".join(f"{draw.randrange(256):02x}" for _ in range(6)),
    "name": lambda draw: f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}",
    "street": lambda draw: f"{draw.randrange(1, 999)} {draw.choice(FAMILY)} Road",
}
