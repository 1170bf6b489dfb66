"""The ONNX room: a fitted pipeline becomes one graph, raw columns in, answer out.

`convert(pipeline, signature) -> onnx.ModelProto`. Inputs `numbers` (double, [N, len(numbers)])
and `texts` (string, [N, len(texts)]), each present only where the signature has such columns;
output `probabilities` (float or double, [N, classes]) or `value` (float or double, [N]).
Preparation runs in double and is rounded to float32 right before the estimator, as the pipeline
does it.
"""
