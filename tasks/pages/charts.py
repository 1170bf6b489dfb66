"""Inline SVG charts: no script, colours from the page's style, readable at any width."""

from tasks.pages.bars import bars, histogram, intervals
from tasks.pages.curves import Course, convergence, line, reliability
from tasks.pages.growth import growth
from tasks.pages.matrix import heat_map
from tasks.pages.tradeoff import Offer, tradeoff

__all__ = [
    "Course",
    "Offer",
    "bars",
    "convergence",
    "growth",
    "heat_map",
    "histogram",
    "intervals",
    "line",
    "reliability",
    "tradeoff",
]
