"""The link to Asterisk: AMI and FastAGI in, facts and orders out."""
