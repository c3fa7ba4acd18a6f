"""The benchmark: the same uploads to several servers in interleaved rounds, and ratios of medians."""
