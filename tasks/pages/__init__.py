"""Offline HTML pages in one look: `frame.py` writes the page, `charts.py` draws inline SVG."""
