"""The parts of exploration, one noun each.

- `custody`: which rows are held out, before anything is looked at.
- `store`: the rows outside of the holdout in a DuckDB file of its own, columns as number, flag, time
  or text.
- `target`: the task, the classes and their order; refuses a target that cannot be learnt.
- `columns`: what each column holds; `roles`: what its values mean; `outliers`: values far from all.
- `relations`: how well each column alone tells the target; `telling`: what its gaps tell.
- `associations`: how columns go together; `gaps`: which values are missing together.
- `twins`: rows that stand there twice, or on both sides of the split.
- `courses`: what changes over time; `pauses`: when there are no rows.
- `suspects`: columns that look as if they were known only with the target.
- `report`: the page (`sections`: its parts, one file each).
"""
