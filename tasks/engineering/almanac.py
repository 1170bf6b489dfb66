"""Which calendar parts of a time the training rows can teach."""

from __future__ import annotations

import numpy as np

from tasks.recipe.clock import PARTS, Part, parts

CYCLES = 3
"""How often the training rows have to go through a part's cycle. With two and a half months of
flights, the day of the month cost the folds 0.007 of roc_auc and the day of the year 0.03."""
DAYS: dict[Part, float] = {
    "hour": 1, "weekday": 7, "day": 30.4, "month": 365.25, "yearday": 365.25,
}  # fmt: skip
TIMELESS = "the time never goes three times through a day, a week, a month or a year in training"


def covered(seconds: np.ndarray) -> tuple[Part, ...]:
    """Parts that vary and whose cycle fits `CYCLES` times between the first and last moment.

    A part that was seen once or twice stands for what happened then, not for what comes back.
    """
    known = seconds[~np.isnan(seconds)]
    if not len(known):
        return ()
    days = (known.max() - known.min()) / 86_400
    values = parts(known, np.floor)
    kept = [part for part in PARTS if days >= CYCLES * DAYS[part] and np.ptp(values[part]) > 0]
    # The day of the year says the month, and more finely.
    return tuple(part for part in kept if part != "month" or "yearday" not in kept)
