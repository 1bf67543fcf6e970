"""The `cti` command, one file for each group of verbs."""
