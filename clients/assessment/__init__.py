"""What anybody's server makes of uploads: the cases that fit it, and its faults, the worst ones first."""
