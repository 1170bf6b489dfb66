"""The key for names of persons, where only Prefect has it."""

from __future__ import annotations

import os
from contextlib import suppress

from charter import Charter
from serving.pseudonyms import VARIABLE

BLOCK = "perennial-key"
"""A secret block: `prefect block register -m prefect.blocks.system`, then one of this name in the UI."""


def unlocked(words: Charter) -> Charter:
    """The charter, once its key is in the environment; that of the environment comes first.

    Where neither has one, the stage that needs it refuses.
    """
    if words.privacy.identifiers and not os.environ.get(VARIABLE):
        from prefect.blocks.system import Secret

        with suppress(ValueError):  # there is no such block
            block = Secret.load(BLOCK)
            assert isinstance(block, Secret)  # a flow of ours is no coroutine
            os.environ[VARIABLE] = str(block.get())
    return words
