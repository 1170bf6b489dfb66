"""Ways of finding groups: one file each, this catalogue, one suite in `tests/contracts/`."""

from tasks.clusterings.base import Clustering, Found
from tasks.clusterings.hdbscan import HDBSCAN
from tasks.clusterings.kmeans import KMEANS
from tasks.clusterings.mixture import MIXTURE

CLUSTERINGS: tuple[Clustering, ...] = (KMEANS, MIXTURE, HDBSCAN)
"""Simplest first: of two that are as good, the first is taken."""

__all__ = ["CLUSTERINGS", "Clustering", "Found"]
