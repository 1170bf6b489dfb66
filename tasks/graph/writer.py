"""Writes a graph node by node, with names, constants and widths taken care of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {"": 18, "ai.onnx.ml": 5}
"""What ONNX Runtime takes since 1.20, in the browser too."""
IR_VERSION = 10


@dataclass
class Writer:
    """A graph under construction; the same calls give the same bytes."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    joined: dict[str, list[Block]] = field(default_factory=dict)
    """What stands side by side in a block that `join` made."""

    def add(
        self, op: str, *inputs: Block | str, width: int, domain: str = "", **attrs: Any
    ) -> Block:
        """One node with one output of shape (rows, width)."""
        name = f"v{len(self.nodes)}"
        names = [entry if isinstance(entry, str) else entry.name for entry in inputs]
        node = helper.make_node(op, names, [name], name=f"{op} {name}", domain=domain, **attrs)
        self.nodes.append(node)
        return Block(self, name, width)

    def constant(self, values: Any, kind: Any = np.float64) -> str:
        """The name of a constant; equal constants are stored once."""
        array = np.ascontiguousarray(np.asarray(values, dtype=kind)).reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = f"c{len(self.constants)}"
            self.initializers.append(numpy_helper.from_array(array, self.constants[key]))
        return self.constants[key]

    def wide(self, values: np.ndarray) -> Block:
        """A constant matrix that float32 holds exactly: half the size, made double when loaded."""
        assert np.array_equal(values, values.astype(np.float32))
        stored = Block(self, self.constant(values, np.float32), values.shape[1])
        return stored.double()

    def join(self, blocks: Sequence[Block]) -> Block:
        """Blocks side by side; those without columns are left out."""
        filled = [block for block in blocks if block.width]
        if len(filled) == 1:
            return filled[0]
        whole = self.add("Concat", *filled, width=sum(block.width for block in filled), axis=1)
        self.joined[whole.name] = filled
        return whole

    def model(
        self, inputs: list[onnx.ValueInfoProto], output: onnx.ValueInfoProto, last: Block
    ) -> onnx.ModelProto:
        """The finished model; nodes and constants that nothing reads are left out."""
        last = self.add("Identity", last, width=last.width)
        self.nodes[-1].output[0] = output.name
        needed, nodes = {output.name}, []
        for node in reversed(self.nodes):
            if node.output[0] in needed:
                nodes.append(node)
                needed.update(node.input)
        kept = [tensor for tensor in self.initializers if tensor.name in needed]
        graph = helper.make_graph(nodes[::-1], "perennial", inputs, [output], kept)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="perennial"
        )


@dataclass(frozen=True)
class Block:
    """A tensor of the graph, shape (rows, width); double unless said otherwise.

    `+ - * /` write nodes: with a float or an array (shape (width,)) on the right, or with another
    block.
    """

    writer: Writer
    name: str
    width: int

    def __add__(self, other: Any) -> Block:
        return self._with("Add", other)

    def __sub__(self, other: Any) -> Block:
        return self._with("Sub", other)

    def __mul__(self, other: Any) -> Block:
        return self._with("Mul", other)

    def __truediv__(self, other: Any) -> Block:
        return self._with("Div", other)

    def __matmul__(self, matrix: Any) -> Block:
        right = matrix if isinstance(matrix, Block) else self.writer.constant(matrix)
        width = matrix.width if isinstance(matrix, Block) else matrix.shape[1]
        return self.writer.add("MatMul", self, right, width=width)

    def columns(self, places: Sequence[int]) -> Block:
        """The columns at these places, in this order."""
        if list(places) == list(range(self.width)):
            return self
        start = 0
        for part in self.writer.joined.get(self.name, ()):  # so that nothing else has to be made
            if list(places) == list(range(start, start + part.width)):
                return part
            start += part.width
        wanted = self.writer.constant(places, np.int64)
        return self.writer.add("Gather", self, wanted, width=len(places), axis=1)

    def apply(self, op: str, **attrs: Any) -> Block:
        """A node that takes and gives this shape."""
        return self.writer.add(op, self, width=self.width, **attrs)

    def double(self) -> Block:
        return self.apply("Cast", to=TensorProto.DOUBLE)

    def single(self) -> Block:
        return self.apply("Cast", to=TensorProto.FLOAT)

    def _with(self, op: str, other: Any) -> Block:
        right = other if isinstance(other, Block) else self.writer.constant(other)
        return self.writer.add(op, self, right, width=self.width)
