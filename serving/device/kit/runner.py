"""Answers rows with one release: `python runner.py RELEASE '{"distance": 100}'`.

Needs onnxruntime and numpy alone. What a row may hold stands in `device.json`, the rest is in the graph.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

EPOCH, LARGEST = datetime(1970, 1, 1, tzinfo=UTC), 3.4028234663852886e38
FLAGS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}


def number(value: Any) -> float:
    if isinstance(value, bool) or "_" in str(value) or abs(float(value)) > LARGEST:
        raise ValueError("wanted a finite number")
    return float(value)


def flag(value: Any) -> float:
    return float(value) if value in (0, 1) else FLAGS[str(value).strip().lower()]


def time(value: Any) -> float:
    moment = datetime.fromisoformat(value.strip())
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return ((aware - EPOCH) // timedelta(microseconds=1)) / 1e6


def text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or not str(value).encode():
        raise ValueError("wanted a text")
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value)


READ = {"number": number, "flag": flag, "time": time, "text": text}


class Runner:
    """One release folder, ready to answer; ValueError names what is wrong with a row."""

    def __init__(self, folder: Path) -> None:
        self.paper = json.loads((folder / "device.json").read_text("utf-8"))
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = str(folder / "model.onnx")
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def answer(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One object per row, as the service gives it, without an id."""
        feed = {}
        for name in (given.name for given in self.session.get_inputs()):
            columns = [one for one in self.paper["inputs"] if (one["kind"] == "text") == (name == "texts")]  # fmt: skip
            cells = [[self._cell(row, column) for column in columns] for row in rows]
            kind = object if name == "texts" else np.float64
            feed[name] = np.array(cells, dtype=kind).reshape(len(rows), len(columns))
        found = self.session.run(None, feed)[0].astype(np.float64)
        if not self.paper["classes"]:
            return [{"prediction": value} for value in found.ravel().tolist()]
        return [self._decided(shares) for shares in found.tolist()]

    def _cell(self, row: dict[str, Any], column: dict[str, Any]) -> Any:
        name, value = column["name"], row.get(column["name"])
        if strange := sorted(row.keys() - set(self.paper["columns"])):
            raise ValueError(f"{strange[0]}: no such column")
        try:
            missing = "" if column["kind"] == "text" else np.nan
            found = missing if value is None or value == "" else READ[column["kind"]](value)
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
            raise ValueError(f"{name}: found {value!r}, wanted a {column['kind']}") from None
        if column["required"] and (found == "" or found != found):
            raise ValueError(f"{name}: found nothing, wanted a {column['kind']}")
        return found

    def _decided(self, shares: list[float]) -> dict[str, Any]:
        classes, decision = self.paper["classes"], self.paper["decision"]
        weighted = np.array(shares) * np.array(decision["weights"] or 1.0)
        at = int(np.argmax(weighted))
        if decision["threshold"] is not None:
            at = int(shares[1] >= decision["threshold"])
        said = self.paper["say"].get(classes[at], classes[at])
        return {
            "prediction": classes[at],
            "say": said,
            "probabilities": dict(zip(classes, shares, strict=True)),
        }


if __name__ == "__main__":
    print(json.dumps(Runner(Path(sys.argv[1])).answer([json.loads(sys.argv[2])])[0]))
