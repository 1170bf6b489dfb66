"""The steps that a recipe stands for, made of parts that `tasks/graph` can write as ONNX.

- `inputs.frame(signature, table) -> pd.DataFrame`: raw columns as float64 (numbers, flags, times as
  seconds; NaN is missing) and str ("" is missing) columns, by way of `serving.packing`, so that
  training and serving pack alike.
- `preparation.preparation(recipe, style) -> Pipeline`: unfitted; takes that frame, gives a float64
  matrix whose values are rounded to float32.
- `pipeline.pipeline(recipe, family, task, params, seed, device) -> Pipeline` with the steps
  `prepare` and `model`.
"""
