"""The hypothesis profile for the tests of the contract."""

from hypothesis import settings

# A single example may be slow on a busy machine.
settings.register_profile("contract", deadline=None, max_examples=200)
settings.load_profile("contract")
