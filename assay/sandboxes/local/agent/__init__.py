"""What runs on the untrusted side: zygote, slots, and the forked jobs.

This package imports the standard library only, and its modules each other relatively, so that the zygote can load it
under the name `agent` without importing assay: the memory that jobs inherit holds nothing of the caller's.
"""
