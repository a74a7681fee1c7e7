"""Which design a response hands in."""

from __future__ import annotations

from assay.verifiers.code.extract import extract_code, fenced_blocks
from assay.verifiers.text.extract import after_reasoning


def extract_design(response: str) -> str | None:
    """Return the last complete code block after the reasoning; without any fence, a text that ends a module itself."""
    code = extract_code(response, "verilog")
    if code is not None and "endmodule" not in code and fenced_blocks(after_reasoning(response)) is None:
        return None
    return code
