"""What `tidy` is made of: what is needed, what is not, and how much room it takes."""
