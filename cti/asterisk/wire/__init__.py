"""panoramisk, hardened by subclassing: one AMI connection that orders, bounds and tells the truth."""
