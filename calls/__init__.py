"""The words every room shares: what a call is, what happened (facts) and what we want done (orders)."""
