"""What the model card says of the people in the data."""

from __future__ import annotations

from collections.abc import Iterator

from charter import Charter
from tasks.lake import Table
from tasks.protect import Protected, protection
from tasks.protection.anonymity import Anonymity
from tasks.protection.door import told
from tasks.protection.found import in_words, undeclared


def people(charter: Charter, *tables: Table) -> Iterator[str]:
    """Lines of the card; what nobody has declared is named as blank.

    `tables` are what was learned from, then what that was made of, the last first.
    """
    privacy = charter.privacy
    records = (protection(charter.name, table) for table in tables)
    record = next((one for one in records if one is not None), None)
    yield f"Purpose: {privacy.purpose or '(blank: privacy.purpose)'}"
    yield _names(charter)
    yield _consent(charter, record)
    if privacy.retention is not None:
        yield f"Kept at most {privacy.retention}; perennial tidy removes what is older."
    for key, what in (("sensitive", "Sensitive"), ("never_input", "Never an input")):
        names = ", ".join(getattr(privacy, key))
        yield f"{what}: {names or f'(blank: privacy.{key})'}"
    if record is None:
        return
    if acted := undeclared(charter, record.found):
        yield f"Personal data that nobody declared: {in_words(acted)}; action: {record.action}."
    if (best := record.after or record.before) is None:
        yield "How well people hide: (blank: privacy.quasi_identifiers)"
    else:
        yield f"{', '.join(privacy.quasi_identifiers)}: {_groups(best)}."
    if record.generalised is not None:
        yield "; ".join(f"{one.column}: {one.how}" for one in record.generalised.columns) + "."
    if (one := record.price) is not None:
        yield (
            f"Hiding cost {one.cost:.4f} of {one.metric} ({one.low:.4f} to {one.high:.4f}), measured "
            f"with gradient boosting on {one.rows:,} training rows."
        )


def _names(charter: Charter) -> str:
    names = ", ".join(charter.privacy.identifiers)
    if not names:
        return "(blank: privacy.identifiers) Nobody has declared which columns name persons."
    return f"Names of persons: {names}; stored as keyed hashes only, and no inputs."


def _consent(charter: Charter, record: Protected | None) -> str:
    if charter.privacy.consent is None:
        return "(blank: privacy.consent) Nobody has said whether people agreed."
    out = told(record.barred) if record and record.barred else "none"
    return f"Only rows of people who agreed to the purpose; kept out: {out}."


def _groups(found: Anonymity) -> str:
    close = "; ".join(f"{one.column}: l = {one.l}, t = {one.t:.3f}" for one in found.closeness)
    return f"k = {found.k} over {found.groups:,} groups" + (f"; {close}" if close else "")
