"""Columns of names as columns of keyed hashes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from serving.pseudonyms import Pseudonyms


def hashed(hashes: Pseudonyms, name: str, values: pa.Array) -> pa.Array:
    """The values as hashes, each different one worked out once; hashes become their newest form."""
    texts = values.cast(pa.string())
    coded = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).dictionary_encode()
    made = [hashes.of(name, value) for value in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(made, pa.string())).cast(
        pa.string()
    )


def known_by(schema: pa.Schema, names: tuple[str, ...]) -> pa.Schema:
    """The schema with these columns as texts."""
    return pa.schema(
        [field.with_type(pa.string()) if field.name in names else field for field in schema]
    )
