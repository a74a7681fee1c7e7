"""Single-shot function calling: generated requests, rows of the BFCL format, and how calls are compared."""
