"""Mathematical answers: extraction, parsing, typed comparison, and the verifier `math` built on them."""
