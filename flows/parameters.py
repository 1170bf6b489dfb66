"""What flows take, as the Prefect UI and `prefect deployment run --param` show it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

CharterFile = Annotated[
    Path, Field(description="The charter, relative to the working directory: configs/flights.yaml")
]
Overrides = Annotated[
    tuple[str, ...],
    Field(description="Keys of the charter for this run only: constraints.train_minutes=1"),
]
InputFile = Annotated[
    Path,
    Field(description="Rows to score: CSV (plain, gzip, zip) or Parquet, with the raw columns"),
]
OutputFile = Annotated[
    Path, Field(description="Where the predictions go: a name that ends in .csv or .parquet")
]
FirstDay = Annotated[
    date | None, Field(description="The first day (UTC) that is replayed; default: data.until")
]
LastDay = Annotated[
    date | None, Field(description="The last day (UTC) that is replayed; default: the last row's")
]
Reason = Annotated[str, Field(description="Why it is asked for; stands in the project's history")]
Now = Annotated[
    datetime | None,
    Field(description="The time to do it for; default: now. Labels that came later wait"),
]
ReleaseNumber = Annotated[
    int | None,
    Field(description="The release to bring back; default: the one that was live before"),
]
TableVersion = Annotated[
    str | None,
    Field(
        description="Learn from an old version of the table, as the model card names it: 3, or "
        "renewed:3 or protected:3; default: from the source as it is now"
    ),
]
