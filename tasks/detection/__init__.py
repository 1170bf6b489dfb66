"""What `detect` is made of: planted rows, the trial of every detector, words and the page."""
