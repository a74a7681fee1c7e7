"""Process rewards: scores of the steps of a solution, from rules or from a model, with their character spans."""
