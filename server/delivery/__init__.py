"""SMTP, LMTP and Maildir out: routes, TLS, retry, DSN."""
