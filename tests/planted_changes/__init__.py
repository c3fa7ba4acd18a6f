"""Plants small changes into the code of the servers, one at a time, and counts those that compare finds.

`python -m tests.planted_changes --seed 1` draws the changes and runs compare alone against each of them:
the recorded cases with their expected values. A change that compare does not find is a survivor: either the
changed code means the same, or a case is missing. This is mutation testing of the recorded cases.
"""
