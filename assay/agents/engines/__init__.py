"""What samples: `hf` (a transformers model in this process), `vllm`, and `api` (endpoints; messages, no tokens).

`base.py` is the contract. `hf_*.py` are the parts of `hf.py`. Each engine is imported from its own module, which needs
its own libraries.
"""
