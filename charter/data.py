"""`data`: where the rows come from and what is known about them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from charter.frozen import Frozen


def distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each name once; {', '.join(twice)} stands there twice")
    return names


Names = Annotated[tuple[str, ...], AfterValidator(distinct)]


def _encoding(name: str) -> str:
    try:
        " ".encode(name)
    except LookupError:
        raise ValueError("an encoding that Python knows, such as utf-8 or latin-1") from None
    return name


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression; this one has {error}") from None
    return text


MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")


class CsvSource(Frozen):
    """A CSV file, plain, gzip or zip."""

    kind: Literal["csv"]
    path: str
    """A file path, `package:NAME/inside/path` for a file of an installed package, or `s3://…`."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What stands between two values."""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    """How its letters are written, as in utf-8, latin-1 or cp1252."""
    missing: tuple[str, ...] = MISSING
    """Texts that mean a missing value."""


class ParquetSource(Frozen):
    """A Parquet file, or a folder of them."""

    kind: Literal["parquet"]
    path: str
    """A file or folder, `package:NAME/inside/path`, or `s3://…`. Folders named `month=2` make a
    column."""


class DeltaSource(Frozen):
    """A Delta table."""

    kind: Literal["delta"]
    path: str
    """Its folder, or `s3://…`."""
    version: int | None = Field(default=None, ge=0)
    """Default: the newest."""


class JsonLinesSource(Frozen):
    """A file with one JSON object per line, plain, gzip or zip."""

    kind: Literal["jsonl"]
    path: str
    """A file path, `package:NAME/inside/path` for a file of an installed package, or `s3://…`."""


class ExcelSource(Frozen):
    """One sheet of an Excel workbook (.xlsx or .xlsm); its first row with values names the columns."""

    kind: Literal["excel"]
    path: str
    """A file path, `package:NAME/inside/path` for a file of an installed package, or `s3://…`."""
    sheet: str | None = None
    """Which sheet; it can be left out where only one is to be seen."""
    missing: tuple[str, ...] = MISSING
    """Texts that mean a missing value."""


def _without_password(url: str) -> str:
    if re.match(r"[\w+]+://[^/@]*:[^/@]*@", url) or re.search(r"[?&]password=", url):
        raise ValueError(
            "an address without a password: put all of it into the environment and write "
            "env:NAME, or let the driver find the password (PGPASSWORD, .pgpass)"
        )
    return url


class SqlSource(Frozen):
    """What a query gives, read in one pass and never by a writing transaction."""

    kind: Literal["sql"]
    url: Annotated[str, AfterValidator(_without_password)]
    """An SQLAlchemy address, as in `postgresql://shop@localhost/shop`, or `env:NAME`, where the
    environment has it."""
    query: str
    """One SELECT. With an ORDER BY, the same rows make no new version of the table."""


class PythonSource(Frozen):
    """A function or method that gives a data frame or an Arrow table."""

    kind: Literal["python"]
    call: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")
    """A dotted name, as in `package.module:function`."""
    arguments: dict[str, str | int | float | bool] = {}
    """What it is called with, by name."""


FileSource = CsvSource | JsonLinesSource | ExcelSource | ParquetSource
"""What one file can be."""
Source = Annotated[
    CsvSource
    | JsonLinesSource
    | ExcelSource
    | ParquetSource
    | DeltaSource
    | SqlSource
    | PythonSource,
    Field(discriminator="kind"),
]

Role = Literal["number", "category", "text", "time", "flag", "identifier", "ignore"]


class Column(Frozen):
    """What is known about one column."""

    role: Role | None = None
    """What the values mean; default: read off the data. Identifiers are never features."""
    label: str = ""
    """What the form of the service calls it; default: the column's name."""
    help: str = ""
    """One sentence beside its field, for who fills in the form."""


class Join(Frozen):
    """Another source whose columns are added to each row (left join, at most one match)."""

    source: Source
    """Where the other rows come from."""
    on: Names = Field(min_length=1)
    """Columns that stand in both; a row is matched where all of them are equal."""
    columns: Names | None = None
    """Which columns to add; default: all that the table does not have yet."""
    unmatched_share: float = Field(default=0.05, ge=0, le=1)
    """The share of rows without a match above which the run is refused."""


class Rule(Frozen):
    """A condition that each row has to meet; a row that does not goes to quarantine."""

    column: str | None = None
    """The column that the rule is about."""
    columns: Names = ()
    """One rule for several columns."""
    between: tuple[float, float] | None = None
    """Smallest and largest value allowed, both included."""
    one_of: tuple[str | int | float | bool, ...] | None = None
    """The values allowed."""
    matches: Annotated[str, AfterValidator(_expression)] | None = None
    """A regular expression that the whole text has to match."""
    not_null: bool | None = None
    """Whether a value has to be there."""

    @property
    def names(self) -> tuple[str, ...]:
        return ((self.column,) if self.column else ()) + self.columns

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.names:
            raise ValueError("a rule names a column, or columns")
        if not any([self.between, self.one_of, self.matches, self.not_null]):
            raise ValueError("a rule says one of between, one_of, matches, not_null: true")
        if self.between and self.between[0] > self.between[1]:
            raise ValueError("between: the smaller value comes first")
        return self


class Data(Frozen):
    """The source, and everything about its columns that the data cannot say themselves."""

    source: Source
    """Where the rows come from."""
    until: date | datetime | None = None
    """Rows of this time and later are left for run time (needs `time`)."""
    grows: bool = False
    """Whether the source only ever gets rows behind those that it has: a run reads what is new, once.

    A file of lines (a last one without its end waits), a folder of Parquet files, a Delta table, or a
    query with a `watermark`. New rows get the types of the table. Where the rows of before are not
    there any more as they were, all of it is read anew. Objects in storage are copied whole to be
    looked at."""
    watermark: str | None = None
    """The column of a growing query that no new row may have a smaller value in than an older one,
    such as a number that counts up, or when the row was written."""
    key: Names = ()
    """Columns that name a row; no two rows may share them."""
    time: str | None = None
    """The column that says when a row became known."""
    joins: tuple[Join, ...] = ()
    """Other sources that add columns, in this order."""
    known_later: Names = ()
    """Columns known only after the prediction is made; never features."""
    known_before: Names = ()
    """Columns vouched for: known when predicting, although they look like a leak."""
    columns: dict[str, Column] = {}
    """What is known about single columns, by name."""
    collection: str = ""
    """How, when and by whom the rows were collected; for the data sheet."""
    rules: tuple[Rule, ...] = ()
    """Conditions on the rows; rows that break one go to quarantine."""
    quarantine_share: float = Field(default=0.02, ge=0, le=1)
    """The share of rows in quarantine above which the run is refused."""

    @property
    def labels(self) -> dict[str, str]:
        """The words for columns that have some."""
        return {name: column.label for name, column in self.columns.items() if column.label}

    @model_validator(mode="after")
    def _known_once(self) -> Data:
        both = sorted(set(self.known_later) & set(self.known_before))
        if both:
            raise ValueError(f"{', '.join(both)}: in known_later and in known_before; keep one")
        return self

    @model_validator(mode="after")
    def _until_needs_time(self) -> Data:
        if self.until is not None and self.time is None:
            raise ValueError("until needs data.time, the column that it is compared with")
        return self
