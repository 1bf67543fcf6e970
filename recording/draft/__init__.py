"""From what was said to what a ticket can take: each field with value, confidence, source, alternatives.

Pure and deterministic: the same spans give the same draft, so it may be made anew with every span while
people talk. Nothing here files anything: the agent accepts or corrects.
"""
