"""What every backend must answer: schema, limits, problems, body building. No parsing, no framework."""
