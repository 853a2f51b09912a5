"""Opening hostile formats. Runs in sandboxed workers only: nothing else of the product may import it."""
