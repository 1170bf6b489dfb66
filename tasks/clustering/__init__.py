"""What `cluster` is made of: columns as numbers, the trial of every family, words and the page."""
