"""The champion stays: what became of the challenger is written down."""

from __future__ import annotations

from charter import Charter
from tasks import history, registry
from tasks.deploy import enter
from tasks.evaluate import Scorecard
from tasks.history import Entry
from tasks.package import Bundle


def keep(
    charter: Charter,
    entry: Entry,
    bundle: Bundle | None = None,
    scorecard: Scorecard | None = None,
) -> Entry:
    """Tell the history, and the registry where there is a challenger; safe to repeat."""
    if bundle is not None and scorecard is not None:
        enter(charter, bundle, scorecard)
        registry.judge(charter.name, bundle.fingerprint, entry.tags, entry.numbers)
    return history.append(entry)
