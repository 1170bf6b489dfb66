"""The parts of the journal: its tables, ids, labels, batches, and the writers of the service."""
