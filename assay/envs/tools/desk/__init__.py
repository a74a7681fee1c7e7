"""The domains of `assay/ServiceDesk-v0`: a database, tools over it, a policy, and customers with errands."""
