"""Quasi-identifiers made coarser until enough people share them: bins for numbers, calendar parts for
times, rare categories missing; what is left over is suppressed.

Every value is treated alike in all rows (global recoding; Samarati and Sweeney, 1998), so that a model
that learnt from bins takes single values: a number stands as the mean of its bin. The column goes first
whose next step takes most rows out of small groups for the share of its entropy that is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from charter import Frozen
from tasks.validation.whole import POSITION, quoted

BINS = (64, 32, 16, 8, 4, 2)
PARTS = ("day", "week", "month", "quarter", "year")
LEFT_OVER = 0.02
"""The share of rows in small groups from which on they are suppressed instead."""
FEW = 12
"""Numbers with no more different values are categories."""
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE")


class Coarser(Frozen):
    """What became of one quasi-identifier."""

    column: str
    how: str
    """`as it was`, `8 bins`, `by month`, `the 8 most frequent`, `left out`."""


class Generalised(Frozen):
    """What k cost."""

    columns: tuple[Coarser, ...]
    suppressed: int
    """Rows whose quasi-identifiers are missing now."""
    removed: int
    """Rows that were too few even so."""


@dataclass
class _Ladder:
    """The steps of one column: how it is told, and the SQL."""

    name: str
    steps: list[tuple[str, str]]
    entropies: list[float]
    """Of each step, as a share of the first one's."""
    at: int = 0

    @property
    def sql(self) -> str:
        return self.steps[self.at][1]

    @property
    def loss(self) -> float:
        """Of entropy by the next step."""
        return max(self.entropies[self.at] - self.entropies[self.at + 1], 1e-6)

    @property
    def next(self) -> str | None:
        return self.steps[self.at + 1][1] if self.at + 1 < len(self.steps) else None


@dataclass
class Generaliser:
    """Works on the DuckDB view `rows`, which has a position."""

    connection: Any
    quasi: tuple[str, ...]
    k: int
    _ladders: list[_Ladder] = field(default_factory=list)
    _gone: str = "FALSE"

    def climb(self) -> None:
        """Coarser, step by step, until few rows are left over."""
        listed = ", ".join(map(quoted, self.quasi))
        self.connection.execute(f"CREATE TEMP TABLE seen AS SELECT {listed} FROM rows")
        self._ladders = [self._ladder(name) for name in self.quasi]
        (rows,) = self._one("SELECT count(*) FROM seen")
        while (small := self._small([one.sql for one in self._ladders])) > LEFT_OVER * rows:
            open = [at for at, one in enumerate(self._ladders) if one.next]
            if not open:
                return
            best = max(open, key=lambda at: (small - self._after(at)) / self._ladders[at].loss)
            self._ladders[best].at += 1

    @property
    def places(self) -> str:
        """The query for the positions of the rows that stay, as `place`."""
        return f"SELECT place FROM sizes WHERE NOT ({self._gone}) ORDER BY place"

    def write(self, names: list[str]) -> Generalised:
        """Make the table `hidden` with these columns, in the order of the rows."""
        keys = ", ".join(one.sql for one in self._ladders)
        made = {one.name: self._suppressed(one) for one in self._ladders}
        listed = ", ".join(f"{made.get(name, quoted(name))} AS {quoted(name)}" for name in names)
        none = " AND ".join(f"{one.sql} IS NULL" for one in self._ladders)
        self.connection.execute(
            f"CREATE TEMP TABLE sizes AS SELECT {POSITION} AS place, "
            f"count(*) OVER (PARTITION BY {keys}) AS n, {none} AS bare FROM rows"
        )
        small, bare = self._one(
            f"SELECT count(*) FILTER (n < {self.k}), count(*) FILTER (n < {self.k} OR bare) FROM sizes"
        )
        gone = bare < self.k
        self._gone = f"n < {self.k} OR bare" if gone else "FALSE"
        self.connection.execute(
            f"CREATE TEMP VIEW hidden AS SELECT {listed} FROM rows JOIN sizes ON place = {POSITION} "
            f"WHERE NOT ({self._gone}) ORDER BY place"
        )
        return Generalised(
            columns=tuple(
                Coarser(column=one.name, how=one.steps[one.at][0]) for one in self._ladders
            ),
            suppressed=0 if gone else small,
            removed=bare if gone else 0,
        )

    def _suppressed(self, one: _Ladder) -> str:
        return f"CASE WHEN n < {self.k} THEN NULL ELSE {one.sql} END"

    def _after(self, at: int) -> int:
        """Rows in small groups once this column is a step coarser."""
        sqls = [one.sql for one in self._ladders]
        sqls[at] = str(self._ladders[at].next)
        return self._small(sqls)

    def _small(self, sqls: list[str]) -> int:
        (rows,) = self._one(
            f"SELECT coalesce(sum(n) FILTER (n < {self.k}), 0) FROM "
            f"(SELECT count(*) AS n FROM seen GROUP BY {', '.join(sqls)})"
        )
        return int(rows)

    def _ladder(self, name: str) -> _Ladder:
        steps = list(self._steps(name))
        asked = ", ".join(f"entropy({sql})" for _, sql in steps)
        found = [float(one or 0) for one in self._one(f"SELECT {asked} FROM seen")]
        return _Ladder(name, steps, [one / (found[0] or 1.0) for one in found])

    def _steps(self, name: str) -> Iterator[tuple[str, str]]:
        column = quoted(name)
        kind, distinct = self._one(
            f"SELECT any_value(typeof({column})), count(DISTINCT {column}) FROM seen"
        )
        yield "as it was", column
        if kind in NUMBERS and distinct > FEW:
            yield from self._bins(column, kind, distinct)
        elif "TIMESTAMP" in str(kind) or kind == "DATE":
            for part in PARTS:
                yield f"by {part}", f"date_trunc('{part}', {column})::{kind}"
        else:
            while (distinct := distinct // 2) > 1:
                often = (
                    f"SELECT {column} FROM seen WHERE {column} IS NOT NULL GROUP BY 1 "
                    f"ORDER BY count(*) DESC, 1 LIMIT {distinct}"
                )
                kept = f"CASE WHEN {column} IN ({often}) THEN {column} END"
                yield f"the {distinct:,} most frequent", kept
        yield "left out", f"NULL::{kind or 'VARCHAR'}"

    def _bins(self, column: str, kind: str, distinct: int) -> Iterator[tuple[str, str]]:
        whole = "round" if "INT" in kind else ""
        for bins in (count for count in BINS if count < distinct):
            at = ", ".join(str(number / bins) for number in range(1, bins))
            (cuts,) = self._one(f"SELECT quantile_disc({column}, [{at}]) FROM seen")
            inside = " + ".join(f"({column} > {cut})::INT" for cut in sorted(set(cuts)))
            means = self.connection.execute(
                f"SELECT {inside} AS bin, {whole}(avg({column})) FROM seen "
                f"WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 1"
            ).fetchall()
            cases = " ".join(f"WHEN {number} THEN {mean}" for number, mean in means)
            yield f"{len(means)} bins", f"(CASE {inside} {cases} END)::{kind}"

    def _one(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.connection.execute(sql).fetchall()[0]
        return found
