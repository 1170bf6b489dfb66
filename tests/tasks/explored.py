"""Small charters and tables that are explored without a flow."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa

from charter import Charter
from tasks import lake
from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings, findings
from tasks.exploration.store import opened
from tasks.exploration.target import read_target
from tasks.lake import Table


def charter(target: str | dict[str, Any] = "y", **sections: Any) -> Charter:
    goal = {"target": {"column": target} if isinstance(target, str) else target}
    goal |= sections.pop("goal", {})
    data = {"source": {"kind": "csv", "path": "x.csv"}} | sections.pop("data", {})
    return Charter.model_validate({"name": "small", "goal": goal, "data": data, **sections})


def land(columns: dict[str, Any] | pa.Table, name: str = "small") -> Table:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    types = [pa.string() if kind == pa.large_string() else kind for kind in table.schema.types]
    table = table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))
    held = hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest()
    return lake.write(f"tables/{name}/table", name, table.to_reader(), held)


def look(of: Charter, columns: dict[str, Any] | pa.Table) -> Findings:
    with opened(land(columns), 1) as store:
        return findings(of, store, read_target(of, store))


def column(found: Findings, name: str) -> Content:
    return next(column for column in found.columns if column.name == name)
