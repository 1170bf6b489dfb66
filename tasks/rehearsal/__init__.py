"""Where a release will answer: each place is tried before it goes live."""
