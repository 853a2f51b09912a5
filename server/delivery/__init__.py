"""Delivery: routes, name resolution, the SMTP and LMTP client, Maildirs, retries and notifications."""
