"""The second truth: everything recounted from Asterisk's own queue_log and CDR files.

Shares nothing with the ledger: no facts, no rooms, no tables. It reads the ledger's rows as plain SQL.
import-linter holds this (``make lint``).
"""
