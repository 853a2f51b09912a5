"""What the supervisor is made of: data directory, lock, sockets, children, first start, banner, notices to systemd."""
