"""The steps that a recipe stands for, made of parts that `tasks/graph` can write as ONNX.

- `inputs.frame(signature, table) -> pd.DataFrame`: raw columns as float64 (numbers, flags, times as
  seconds; NaN is missing) and str ("" is missing) columns, by way of `serving.packing`, so that
  training and serving pack alike.
- `preparation.preparation(recipe, style) -> Pipeline`: unfitted; takes that frame, gives a float64
  matrix whose values are rounded to float32.
  Its steps: `columns`, a ColumnTransformer by column names whose members are SimpleImputer,
  MissingIndicator, StandardScaler, OneHotEncoder, OrdinalEncoder, PCA, `Calendar` and pipelines of
  these; then `single`, which cuts at plus and minus `limit` and rounds to float32.
- `clock.parts(seconds, floor)` and `clock.circle(part, period, sine)`: the calendar, written once
  for arrays and for graph nodes (anything with `+ - * /` by a float).
- `pipeline.pipeline(recipe, family, task, params, seed, device) -> Pipeline` with the steps
  `prepare` and `model`.
"""
