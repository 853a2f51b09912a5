"""What eval tests of header fields need at the least, told by one look at the fields."""

TEMPLATE: int  # the fields hold a placeholder such as %TO_NAME
CAPITALS: int  # the subject has a capital, and no small letter behind its last colon
CALLED: int  # the subject holds the recipient's user name, any case
RELAY: int  # Received holds "rly-", any case
HOTMAIL: int  # Received holds "hotmail.com"
IN_SENDER: int  # the sender's address holds the recipient's user name and "@"
GROUPS: int  # Received holds "groups.msn.com", or there is none
ILLEGAL: int  # the header section has a byte that count_illegal of pyx/sacount counts

def hints(sender: bytes, recipient: bytes, subject: bytes, received: bytes, fields: bytes, section: bytes, /) -> int:
    """Which of the flags above hold, added up.

    Args: sender, recipient: addresses in lower case; subject: decoded; received: all Received fields; fields: all
    fields decoded; section: the header section as it came. Cost: linear but for names that nearly stand in the subject.
    """
