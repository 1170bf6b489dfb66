"""What `cluster` and `detect` have in common: rows as numbers, draws of them, and the target filled."""
