"""The parts of `tasks/package.py`, which is their face.

`hostile` and `asked` make the questions, `parity` compares the answers of pipeline and graph,
`papers` writes what goes into the bundle beside the graph, `card` the model card, `lineage` says
where the model comes from.
"""
