cdef object of_mailboxes(list values, bint is_name, bint is_clean)
