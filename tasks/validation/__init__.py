"""The validation room: what the rows have to meet, how they are judged, and the page about it.

A project's expectations are those of its suite, a file that people review and freeze, and those
of its charter, which always apply. Each has a kind:

- `row`: a row that breaks it goes to quarantine, with every reason;
- `table`: the run is refused when it does not hold;
- `warning`: shown, and nothing else.

`judge.py` and `docs.py` are the only files that import Great Expectations. What a batch cannot
see (a key across batches, numbers over all rows) is asked of DuckDB in `whole.py`.
"""
