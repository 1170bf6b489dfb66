"""What a search ran on, and how much of it was used."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import psutil

from charter.frozen import Frozen

GIB = 2**30


class Workers(Frozen):
    """What a search used of a cluster."""

    workers: int
    """Most at the same time."""
    threads: int
    """Threads of these that fits took."""
    cores_used: float
    """Seconds of processor time there for each second of the search."""

    @property
    def words(self) -> str:
        count = f"{self.workers} worker{'s' if self.workers != 1 else ''}"
        return f"trials on {count} of a Dask cluster, {self.threads} threads ({self.cores_used:.1f} in use on average)"  # fmt: skip


class Hardware(Frozen):
    """The machine of a search."""

    processor: str
    cores: int
    memory_gb: float
    """GiB that the machine has."""
    cores_used: float
    """Seconds of processor time for each second of the search."""
    device: str = ""
    """The CUDA device on which XGBoost was fitted; empty where there was none."""
    device_share: float | None = None
    """Share of the seconds spent in trials that belongs to families fitted on the device."""
    cluster: Workers | None = None
    """None where trials were run on this machine."""

    @property
    def words(self) -> str:
        machine = f"{self.processor}, {self.cores} cores ({self.cores_used:.1f} in use on average), {self.memory_gb:.0f} GiB"  # fmt: skip
        if self.cluster:
            machine += f"; {self.cluster.words}"
        if not self.device:
            return f"{machine}, no CUDA device"
        return f"{machine}; {self.device} ({self.device_share or 0:.0%} of the time in trials)"


def hardware(
    seconds: float,
    processor_seconds: float,
    trials: float,
    on_device: float | None,
    cluster: Workers | None = None,
) -> Hardware:
    """This machine and its use by a search of so many `seconds`.

    `trials` are the seconds spent in trials, `on_device` those of them on a CUDA device, None
    where none was used.
    """
    return Hardware(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / GIB,
        cores_used=processor_seconds / max(seconds, 1e-9),
        device="" if on_device is None else _device(),
        device_share=None if on_device is None else on_device / max(trials, 1e-9),
        cluster=cluster,
    )  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _device() -> str:
    """Name and memory of the device that XGBoost takes, the first one."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader", "--id=0"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "a CUDA device"
    return said.stdout.strip()
