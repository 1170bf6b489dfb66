"""A blessed bundle becomes a release and goes live."""

from __future__ import annotations

from charter import Charter, Frozen
from tasks.evaluate import Scorecard
from tasks.package import Bundle
from tasks.rehearse import Blessing


class Release(Frozen):
    """A release and what it replaced."""

    project: str
    number: int
    where: str
    """Folder, relative to the root: `releases/<project>/<number>`."""
    previous: int | None
    registry_version: str
    """Version of the model in the registry; the alias `champion` names it."""


def deploy(charter: Charter, bundle: Bundle, blessing: Blessing, scorecard: Scorecard) -> Release:
    """Copy the bundle to the releases, register it, move the live pointer; safe to repeat."""
    raise NotImplementedError
