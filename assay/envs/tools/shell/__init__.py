"""Shell tasks: trees of files, the jobs that change and read them, and the tasks."""
