"""`privacy`: whose data they are, what they may be used for, and what is never kept as it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from charter.conflict import Conflict, agree
from charter.data import Data, Names, Source
from charter.frozen import Frozen
from charter.runtime import Span

YES = ("true", "yes", "y", "1", "1.0")


class Consent(Frozen):
    """Who agreed to the purpose: as a column of the rows, or as a list of persons."""

    column: str | None = None
    """The column that says it in each row."""
    given: tuple[str | bool | int, ...] = ()
    """The values of `column` that mean consent; default: true, yes, y, 1, and the purpose."""
    table: Source | None = None
    """A list of consents, one row for each person (and purpose)."""
    subject: str | None = None
    """The column of `table` that names the person; default: privacy.subject."""
    purpose: str | None = None
    """The column of `table` that names the purpose; only rows of privacy.purpose count."""
    withdrawn: str | None = None
    """The column, of the rows or of `table`, that says when consent was withdrawn; empty where it
    stands."""

    @property
    def affirmative(self) -> tuple[str, ...]:
        """What means consent, as small letters."""
        return tuple(str(value).lower() for value in self.given) or YES

    @model_validator(mode="after")
    def _one_way(self) -> Consent:
        agree(self._conflicts())
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        if (self.column is None) == (self.table is None):
            found = "neither column nor table" if self.column is None else "column and table"
            yield Conflict("", found, "one of them", "Name where the consent stands.")
        if self.table is None:
            for key in ("subject", "purpose"):
                if getattr(self, key) is not None:
                    yield Conflict(key, "it without a table", "consent.table", "Take it out.")
        elif self.given:
            yield Conflict("given", "it with a table", "consent.column", "Take it out.")


class Found(Frozen):
    """What becomes of personal data that nobody declared."""

    action: Literal["refuse", "drop", "mask", "hash"] = "refuse"
    """Refuse the data, drop the column, mask what was found in each text, or hash each value."""
    share: float = Field(default=0.01, ge=0, lt=1)
    """The share of a column's filled rows above which a find counts."""


class Privacy(Frozen):
    """Whose data they are. Nothing declared: nothing is replaced, and no row is left out."""

    purpose: str = ""
    """What the data are used for, in the words that people agreed to."""
    identifiers: Names = ()
    """Columns that name a person. Their values are replaced by keyed hashes (PERENNIAL_KEY) before
    anything is stored, and they are never inputs."""
    subject: str | None = None
    """Which identifier stands for the person; default: the first."""
    quasi_identifiers: Names = ()
    """Columns that together may single a person out: age, sex, postcode. The more people share them,
    the better (k-anonymity)."""
    sensitive: Names = ()
    """Columns that nobody should learn of a person: l-diversity and t-closeness are told for each."""
    k: int | None = Field(default=None, ge=2)
    """At least so many rows share their quasi-identifiers, by bins and suppression; default: told,
    nothing changed."""
    never_input: Names = ()
    """Columns that the model must not use."""
    consent: Consent | None = None
    """Only rows with consent for the purpose are used; the others are counted and not kept."""
    found: Found = Found()
    """What becomes of personal data that nobody declared."""
    cleared: Names = ()
    """Columns vouched for: no personal data, although they look like it."""
    membership: float | None = Field(default=None, gt=0.5, le=1)
    """The largest area under the curve with which an attack may tell whom the model learned from (0.5
    is chance); default: told, not judged."""
    retention: Span | None = None
    """How long answers, collected rows, quarantine, old versions and reports stay at most, whoever
    needs them; `tidy` removes what is older. Default: what `storage` says."""

    @property
    def person(self) -> str | None:
        """The column that names the person."""
        return self.subject or (self.identifiers[0] if self.identifiers else None)

    @property
    def declared(self) -> frozenset[str]:
        """Columns of which the charter says what they are."""
        return frozenset(
            (*self.identifiers, *self.quasi_identifiers, *self.sensitive, *self.cleared)
        )

    @property
    def about_people(self) -> bool:
        """Whether the charter says that persons are in the rows."""
        named = (*self.identifiers, *self.quasi_identifiers, *self.sensitive)
        return bool(named or self.consent or self.membership)

    @property
    def guards(self) -> bool:
        """Whether rows have to pass a door before they are stored."""
        return bool(self.identifiers or self.consent)

    @property
    def barred(self) -> dict[str, str]:
        """The columns that may not be inputs, and the clause that says so."""
        consent = self.consent
        found = dict.fromkeys(self.identifiers, "names a person (privacy.identifiers)")
        for name in (consent.column, consent.withdrawn) if consent else ():
            if name is not None:
                found[name] = "says whether there is consent (privacy.consent)"
        return dict.fromkeys(self.never_input, "never an input (privacy.never_input)") | found

    @model_validator(mode="after")
    def _whole(self) -> Privacy:
        agree(self._conflicts())
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        if self.subject is not None and self.subject not in self.identifiers:
            yield Conflict(
                "subject", self.subject, f"one of the identifiers ({', '.join(self.identifiers)})",
                "List it in privacy.identifiers, so that it is stored as a hash.",
            )  # fmt: skip
        both = sorted(set(self.identifiers) & {*self.quasi_identifiers, *self.sensitive})
        if both:
            yield Conflict(
                "identifiers", f"{', '.join(both)} here and as quasi-identifier or sensitive",
                "each in one place", "An identifier is a hash; there is nothing else to protect.",
            )  # fmt: skip
        if self.k is not None and not self.quasi_identifiers:
            yield Conflict(
                "k", f"{self.k} without quasi-identifiers", "privacy.quasi_identifiers",
                "Name the columns that may single a person out.",
            )  # fmt: skip
        if self.consent is not None and not self.purpose:
            yield Conflict(
                "consent", "no purpose", "privacy.purpose, since consent is given for a purpose",
                "Say in privacy.purpose what people agreed to.",
            )  # fmt: skip
        if self.consent is not None and self.consent.table is not None and not self.identifiers:
            yield Conflict(
                "consent.table", "no identifier to look persons up by", "privacy.identifiers",
                "Name the column that says whose row it is.",
            )  # fmt: skip


def of_privacy(target: str, data: Data, privacy: Privacy) -> Iterator[Conflict]:
    """A target that is an identifier, an identifier with a role that its hash cannot have."""
    for key in ("identifiers", "quasi_identifiers", "never_input"):
        if target in getattr(privacy, key):
            yield Conflict(
                f"privacy.{key}", f"the target {target}", "other columns only",
                f"Take {target} out; the target is never an input.",
            )  # fmt: skip
    for name in privacy.identifiers:
        column = data.columns.get(name)
        if (column and column.role not in (None, "identifier")) or name == data.time:
            yield Conflict(
                "privacy.identifiers", f"{name}, which has another role in data",
                "columns that name persons and nothing else",
                f"Take {name} out of privacy.identifiers, or give it the role identifier.",
            )  # fmt: skip
    unused = [name for name in privacy.never_input if name in data.known_before]
    if unused:
        yield Conflict(
            "privacy.never_input", f"{', '.join(unused)}, vouched for in data.known_before",
            "one or the other", "Keep one of the two.",
        )  # fmt: skip
