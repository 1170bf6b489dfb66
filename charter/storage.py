"""`storage`: how long what is no longer needed stays, and how much room the project may take."""

from __future__ import annotations

from pydantic import Field

from charter.frozen import Frozen
from charter.runtime import Cron, Span


class Storage(Frozen):
    """What `tidy` goes by. It never removes what the live release, the one before it or rows that
    are not folded yet need."""

    schedule: Cron | None = "30 3 * * 0"
    """When to tidy, in runtime.timezone; default: on Sundays at half past three. null: not by itself."""
    keep: Span = "30d"
    """How long old versions of tables, rows in quarantine, splits, studies, bundles, caches and
    reports stay that nothing needs."""
    releases: int = Field(default=3, ge=2)
    """How many of the newest releases can be trained again exactly; the live one and the one
    before it always can."""
    most_gb: float | None = Field(default=None, gt=0)
    """The room that the project may take. Above it everything that nothing needs goes, whatever
    its age; what is still too much is refused."""
