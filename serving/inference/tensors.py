"""Tensors as they travel: values in JSON, or as bytes behind it (the binary tensor extension)."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.form import Bad, shown, whole
from serving.signature import Kind

DATATYPES: dict[Kind, str] = {"number": "FP64", "flag": "BOOL", "time": "BYTES", "text": "BYTES"}
"""What the metadata says of a column; other datatypes are taken where their values fit."""

NUMERIC = {
    "BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
}  # fmt: skip
LENGTH = struct.Struct("<I")

Cell = bool | int | float | str | None


def wrong(found: str, wanted: str, remedy: str = "Look at the model's metadata.") -> Bad:
    """A request that is no request of the protocol."""
    return Bad([whole(found, wanted, remedy)], status=400)


def values(tensor: dict[str, Any], raw: memoryview | None) -> list[Any]:
    """The values of one input of shape [rows] or [rows, 1]; a NaN and an empty text are missing.

    `raw` holds the tensor's bytes where they do not stand in its `data`.
    """
    name, rows = str(tensor["name"]), _rows(tensor)
    found = _listed(tensor, rows) if raw is None else _unpacked(tensor, raw, rows)
    if len(found) != rows:
        raise wrong(f"{len(found)} values in {name}", f"{rows}, as its shape says")
    return [None if value == "" or value != value else value for value in found]


def _rows(tensor: dict[str, Any]) -> int:
    shape = tensor.get("shape")
    sizes = shape if isinstance(shape, list) else []
    if not sizes or any(type(size) is not int or size < 0 for size in sizes):
        raise wrong(f"the shape {shown(shape)} of {tensor['name']}", "[rows] or [rows, 1]")
    if len(sizes) > 2 or sizes[1:] not in ([], [1]):
        raise wrong(f"the shape {shown(shape)} of {tensor['name']}", "[rows] or [rows, 1]")
    return int(sizes[0])


def _listed(tensor: dict[str, Any], rows: int) -> list[Any]:
    data = tensor.get("data")
    if not isinstance(data, list):
        raise wrong(f"no list as data of {tensor['name']}", "its values, or binary_data_size")
    if len(tensor["shape"]) == 2 and rows and all(isinstance(one, list) for one in data):
        return [value for one in data for value in one]
    return data


def _unpacked(tensor: dict[str, Any], raw: memoryview, rows: int) -> list[Any]:
    kind = tensor.get("datatype")
    if kind == "BYTES":
        return _texts(str(tensor["name"]), raw)
    if not isinstance(kind, str) or kind not in NUMERIC:
        known = ", ".join([*NUMERIC, "BYTES"])
        raise wrong(f"the datatype {shown(kind)} of {tensor['name']}", f"one of {known}")
    if len(raw) != rows * np.dtype(NUMERIC[kind]).itemsize:
        raise wrong(f"{len(raw)} bytes of {tensor['name']}", f"{rows} values of {kind}")
    found: list[Any] = np.frombuffer(raw, NUMERIC[kind]).tolist()
    return found


def _texts(name: str, raw: memoryview) -> list[str]:
    """Texts, each behind its length."""
    found, at = [], 0
    try:
        while at < len(raw):
            (size,) = LENGTH.unpack_from(raw, at)
            at += LENGTH.size + size
            if at > len(raw):
                raise wrong(f"a text in {name} that is cut off", "each behind its length")
            found.append(str(raw[at - size : at], "utf-8"))
    except (struct.error, UnicodeDecodeError) as error:
        raise wrong(f"bytes of {name} that are no texts ({error})", "UTF-8, each behind its length") from None  # fmt: skip
    return found


def listed(column: Sequence[Any]) -> list[Cell]:
    """Output values for JSON, row after row; JSON has no infinite number."""
    flat = [value for row in column for value in (row if isinstance(row, list) else [row])]
    return [None if isinstance(one, float) and not math.isfinite(one) else one for one in flat]


def packed(column: Sequence[Any], datatype: str) -> bytes:
    """Output values as bytes."""
    if datatype != "BYTES":
        return np.asarray(column, dtype=NUMERIC[datatype]).tobytes()
    texts = [str(value).encode() for value in column]
    return b"".join(LENGTH.pack(len(text)) + text for text in texts)
