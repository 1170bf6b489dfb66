"""The page where the audience meets the model: ask, hear the answer, tell later what happened."""
