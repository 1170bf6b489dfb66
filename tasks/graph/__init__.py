"""The ONNX room: a fitted pipeline becomes one graph, raw columns in, answer out.

`convert(pipeline, signature) -> onnx.ModelProto`. Inputs `numbers` (double, [N, len(numbers)])
and `texts` (string, [N, len(texts)]), each present only where the signature has such columns;
output `probabilities` (double, [N, classes]) or `value` (double, [N]). Preparation runs in double
and is rounded to float32 right before the estimator, as the pipeline does it; estimators run in
double on those numbers. The converters of other packages are not used: they scale, compare and
sum in float32, where a value near a threshold falls on the other side.

`preparation.prepare` and `estimators.estimate` dispatch on the type of the fitted step: a new
step or family registers its nodes there.
"""

from tasks.graph.convert import convert

__all__ = ["convert"]
