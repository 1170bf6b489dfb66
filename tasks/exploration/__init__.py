"""The parts of exploration, one noun each.

- `store`: every row of the table in a DuckDB file of its own, columns as number, flag, time or text.
- `target`: the task, the classes and their order; refuses a target that cannot be learnt.
- `columns`: what each column holds; `roles`: what its values mean.
- `relations`: how well each column alone tells the target.
- `associations`: how columns go together; `gaps`: which values are missing together.
- `courses`: what changes over time.
- `suspects`: columns that look as if they were known only with the target.
- `report`: the page (`evidence`: its charts and tables).
"""
