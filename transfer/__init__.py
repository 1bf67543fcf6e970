"""Who is in a call after a transfer."""
