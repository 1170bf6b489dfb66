"""What `cluster` is made of: the trial of every family, words and the page."""
