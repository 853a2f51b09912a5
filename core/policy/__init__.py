"""Conditions, actions and the pure decision: hits and envelope to one Disposition a recipient."""
