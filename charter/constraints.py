"""`constraints`: what the model may cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from charter.frozen import Frozen


class Constraints(Frozen):
    """Limits that restrict the search before and the choice after."""

    train_minutes: float = Field(default=5.0, gt=0, le=10_000)
    """Wall-clock minutes for search, final fit and the question whether there is enough data
    together; kept within 10 %."""
    memory_gb: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    """Resident memory of the run with the process that fits, in GiB; kept within 10 %."""
    latency_p99_ms: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    """99th percentile of one prediction over HTTP, in milliseconds; measured in rehearsal."""
    model_mb: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    """Size of `model.onnx`, in MB (10^6 bytes)."""
    interpretable: bool = False
    """Only models whose whole logic can be printed, and is, on the model card: the charter's
    rules, linear ones and single trees."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models are fitted; `auto` takes a CUDA device when there is one and it can be used."""
    cluster: str | None = Field(default=None, pattern=r"^(tcp|tls)://[^/@\s]+:\d+$")
    """Address of a Dask scheduler, as `tcp://scheduler:8786`: the trials of the search run on its
    workers, many side by side; `memory_gb` bounds each. Keys for `tls` come from Dask's own settings."""
