"""The page at `/ui/` and what feeds it: what each byte of a request is, its value, and the rule behind it."""
