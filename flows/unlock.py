"""The keys for names of persons and for releases, where only Prefect has them."""

from __future__ import annotations

import os
from contextlib import suppress

from charter import Charter
from serving.pseudonyms import VARIABLE
from serving.signing import PRIVATE, need

BLOCK, SIGNING = "perennial-key", "perennial-signing-key"
"""Secret blocks: `prefect block register -m prefect.blocks.system`, then one of this name in the UI."""


def unlocked(words: Charter) -> Charter:
    """The charter, once its keys are in the environment; what is there comes first.

    Where neither has the key for names, the stage that needs it refuses.
    """
    if words.privacy.identifiers:
        _fetch(VARIABLE, BLOCK)
    if "device" in words.experience.surfaces:
        _fetch(PRIVATE, SIGNING)
        need("since experience.surfaces names device")  # now, and not when all is trained
    return words


def _fetch(variable: str, name: str) -> None:
    """The secret of a block into the environment, where there is none yet."""
    if os.environ.get(variable):
        return
    from prefect.blocks.system import Secret

    with suppress(ValueError):  # there is no such block
        block = Secret.load(name)
        assert isinstance(block, Secret)  # a flow of ours is no coroutine
        os.environ[variable] = str(block.get())
