"""Columns of names as columns of keyed hashes."""

from __future__ import annotations

import pyarrow as pa

from serving.pseudonyms import Pseudonyms
from tasks.sources.types import spelled


def hashed(hashes: Pseudonyms, name: str, values: pa.Array) -> pa.Array:
    """The values as hashes, each different one worked out once; hashes become their newest form."""
    coded = spelled(values).dictionary_encode()
    made = [hashes.named(name, value) for value in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(made, pa.string())).cast(
        pa.string()
    )


def known_by(schema: pa.Schema, names: tuple[str, ...]) -> pa.Schema:
    """The schema with these columns as texts."""
    return pa.schema(
        [field.with_type(pa.string()) if field.name in names else field for field in schema]
    )
