"""What a device runs, copied there as it is: these files know nothing of the rest of the house."""
