"""What runs inside the sandbox, beside the design: parse, refuse, synthesise, simulate.

Laid into the job's directory as files, so nothing here may import anything of assay's. Nothing here is trusted by the
other side either: a design that took over this process would find no golden value and no comparison, only the
stimulus, and would still have to answer it row by row.
"""
