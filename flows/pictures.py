"""Pictures for the Prefect UI, drawn with the charts of the pages."""

from __future__ import annotations
