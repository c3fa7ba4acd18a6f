"""How generated input is used here."""

from hypothesis import settings

# Of CPU time these tests say nothing: on a busy machine any single example may be slow.
settings.register_profile("witnesses", deadline=None, max_examples=150)
settings.load_profile("witnesses")
