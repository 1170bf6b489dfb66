"""What the values of a column mean."""

from __future__ import annotations

import re

from charter import Charter, Refusal
from charter.data import Role
from tasks.exploration.store import Field

FITS: dict[Role, tuple[str, ...]] = {
    "number": ("number", "flag"),
    "flag": ("flag", "number"),
    "time": ("time",),
    "text": ("text",),
}
"""The kinds of values that a declared role can be made of; the other roles take any."""
NAMED = re.compile(r"(^|[_\W])(id|uuid|guid|key|index|rownames?)$|^unnamed: ?\d+$", re.IGNORECASE)
FEW = 20


def role_of(
    charter: Charter,
    field: Field,
    filled: int,
    distinct: int,
    words: float,
    counts_through: bool = False,
) -> Role:
    """The declared role, or a guess.

    `words` is the mean number of words of a text; `counts_through` says of whole numbers whether
    they number the rows. Unique texts are identifiers when short and text when long; a number is
    an identifier only when unique and called so, or when it counts through all rows.
    """
    declared = charter.data.columns.get(field.name)
    if declared is not None and declared.role is not None:
        return _declared(declared.role, field, distinct)
    if field.name in charter.privacy.identifiers:
        return "identifier"
    if field.kind == "time" or field.kind == "flag":
        return field.kind
    unique = filled >= FEW and distinct == filled
    if field.kind == "number":
        return "identifier" if unique and (counts_through or NAMED.search(field.name)) else "number"
    if words >= 4 and distinct > max(FEW, 0.2 * filled):
        return "text"
    if field.name in charter.data.key and len(charter.data.key) == 1:
        return "identifier"
    nearly = filled >= FEW and distinct > 0.95 * filled
    return "identifier" if unique or nearly else "category"


def _declared(role: Role, field: Field, distinct: int) -> Role:
    kinds = FITS.get(role)
    if kinds is not None and field.kind not in kinds:
        raise Refusal(
            f"charter.data.columns.{field.name}.role",
            f"found {field.kind} values for the role {role}",
            f"wanted values of kind {' or '.join(kinds)}",
            "Take the role out, so that it is read off the data, or correct the source.",
        )
    if role == "flag" and field.kind == "number" and distinct > 2:
        raise Refusal(
            f"charter.data.columns.{field.name}.role",
            f"found {distinct:,} different numbers for the role flag",
            "wanted two",
            "Declare the role number or category.",
        )
    return role
