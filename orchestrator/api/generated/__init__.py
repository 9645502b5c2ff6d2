"""Data that `tools/generate_schema.py` writes: `schema.msgpack.gz`. Never edited by hand."""
