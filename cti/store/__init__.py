"""What is kept: the live picture, the journal on disk, the history in a database."""
