"""The whole logic of a simple model in words: `logic(pipeline, classes, target)`.

`cells` tells what each prepared column is in the user's own columns; `linear` and `rules` print
weighted sums and rules. A model that cannot be printed has no logic.
"""

from tasks.printing.logic import Printed, logic

__all__ = ["Printed", "logic"]
