"""From the part table to the list of parts that are scanned; containers to child parts."""
