"""`--wire`: the received bytes as spans with their roles, and how they and the responses are drawn."""
