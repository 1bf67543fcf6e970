"""Where sealed recordings are kept besides the disk of the home: a folder elsewhere, or a bucket (S3)."""
