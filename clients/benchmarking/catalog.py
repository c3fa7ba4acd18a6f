"""All workloads, in the order in which they are run."""

from .downloads import Download
from .large_workloads import LargeUpload, RepeatedUpload
from .small_workloads import BesideIdle, BesideSlow, SmallUploads
from .workloads import Workload

WORKLOADS: tuple[Workload, ...] = (
    LargeUpload("w1", "W1: one file in multipart, random bytes"),
    LargeUpload("w1-delimiters", "W1: one file in multipart, near-delimiters", "delimiters"),
    LargeUpload("w1-crlf", "W1: one file in multipart, CR LF only", "crlf"),
    SmallUploads("w2", "W2: three fields and a 4 KiB file, 32 connections", "multipart", "w2"),
    SmallUploads("w3", "W3: a urlencoded form, 32 connections", "urlencoded", "w3"),
    SmallUploads("w3-json", "W3: a JSON object, 32 connections", "json", "w3"),
    BesideIdle("w4", "W4: as W2 on 16 connections, beside 1,000 idle ones", "multipart", "w4", 16),
    BesideIdle(
        "w4-5000", "W4: as W2 on 16 connections, beside 5,000 idle ones", "multipart", "w4", 16, idle=5000
    ),
    LargeUpload("w5-sixteenth", "W5: a file of 1/16 of the size", share=1 / 16, family="w5"),
    LargeUpload("w5-quarter", "W5: a file of 1/4 of the size", share=1 / 4, family="w5"),
    LargeUpload("w5-whole", "W5: a file of the size", family="w5"),
    LargeUpload("w5", "W5: a file of 4 times the size", share=4, family="w5"),
    BesideSlow("w6", "W6: as W2 on 16 connections, beside 200 slow uploads", "multipart", "w6", 16),
    Download("w7", "W7: a stored file is downloaded"),
    Download("w7-range", "W7: half of a stored file is downloaded", ranged=True),
    RepeatedUpload("w8", "W8: the same file is uploaded again"),
)

ALIASES = {"w1-random": "w1", "w3-urlencoded": "w3", "w4-1000": "w4", "w5-four": "w5", "w7-all": "w7"}
"""A name for the one workload that has the name of its family, where the family has several."""


def workloads_named(names: list[str]) -> list[Workload]:
    """All of a family, or one, for each name. Raises ValueError for a name that is unknown."""
    single = {ALIASES.get(name, name) for name in names}
    known = {one.family for one in WORKLOADS} | {one.name for one in WORKLOADS} | ALIASES.keys()
    if unknown := set(names) - known:
        raise ValueError(f"{min(unknown)!r} is not among {', '.join(sorted(known))}")
    families = {one.family for one in WORKLOADS} & set(names)
    return [one for one in WORKLOADS if one.family in families or one.name in single]
