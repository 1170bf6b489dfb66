"""How the numbers on the page were made."""

from __future__ import annotations

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.pages import Section, tables
from tasks.pages.figures import number


def section(charter: Charter, found: Findings) -> Section:
    """One line per measure."""
    sample = found.associations.ranked_rows
    ranks = (
        "all of these rows"
        if sample == found.rows
        else f"{number(sample)} of these rows, drawn with a fixed seed"
    )
    rows = [
        ("Rows", _rows(found)),
        ("Strength, two classes", "2 AUC − 1 of the out-of-fold target rate of each level or bin, in 5 folds"),
        ("Strength, more classes", "the same for each class against the rest, their mean"),
        ("Strength, numbers", "R² of the out-of-fold mean of each level or bin"),
        ("Interval of a strength", "DeLong's for an AUC (1988), Olkin and Finn's for R² (1995); too narrow where rows of a day or a customer hang together"),
        ("Intervals of shares", "Wilson (1927); of differences, Newcombe (1998), widened for the number of columns"),
        ("Usual range", "three interquartile ranges beyond the quartiles (Tukey, 1977)"),
        ("Two numbers", f"Spearman's rank correlation, from {ranks}"),
        ("Two groupings", "Cramér's V with Bergsma's bias correction (2013)"),
        ("A grouping and a number", "correlation ratio with Kelley's bias correction (1935)"),
        ("Missing together", "Jaccard: rows with both missing in those with either missing"),
        ("Change", "share of rows that would have to differ to undo the largest shift"),
        ("Pause", "at least three times as long as 99 of 100 waits for a row with a new time"),
        ("Repeats and twins", "fingerprints of 64 bits of all values, and of the folded inputs; of the holdout only these are compared"),
        ("Infinite numbers", "count as missing"),
    ]  # fmt: skip
    return Section(
        "How it was measured", "", tables.table("Measures", ("What", "How"), rows, wrap=True)
    )


def _rows(found: Findings) -> str:
    drawn = (
        f"{number(found.rows)} drawn with a fixed seed from the {number(found.outside)} rows "
        "outside of the holdout; unusual values, repeats, twins and pauses are counted over all"
        if found.rows < found.outside
        else f"all {number(found.rows)} rows outside of the holdout"
    )
    if not found.held:
        return drawn
    return f"{drawn}; the {number(found.held)} rows that judge the model are in custody, unseen"
