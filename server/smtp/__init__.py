"""SMTP in: sessions, transactions, limits; ends at commit."""
