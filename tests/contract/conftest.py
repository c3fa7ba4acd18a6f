"""How the contract is tested with generated input."""

from hypothesis import settings

# On a busy machine any single example may be slow.
settings.register_profile("contract", deadline=None, max_examples=200)
settings.load_profile("contract")
