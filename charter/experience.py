"""`experience`: how people meet the answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from charter.frozen import Frozen


class Experience(Frozen):
    """Who gets the answer, where, and in which words."""

    audience: str = ""
    """Who reads the answer; stands on the model card."""
    surfaces: tuple[Literal["service", "device"], ...] = Field(default=("service",), min_length=1)
    """Where the release is brought to; each one is rehearsed before it goes live. `device`: the user's
    own, in the browser and in Python, without a network; its releases are signed."""
    say: dict[str, str] = {}
    """What is said for each class, as in `{true: likely late}`; sent with every answer."""
