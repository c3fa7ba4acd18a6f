"""Transfers that go on where they broke off: uploads by tus 1.0 or the IETF's draft, downloads by range."""
