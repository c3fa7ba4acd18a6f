"""What every client uploads: a field and two files, one of them with an odd name.

The field `note` has text outside ASCII. `plain.txt` has lines that look like delimiters, with both line ends.
The other file has every byte, is larger than 64 KiB, and is named `naïve "q" 文件;a%.txt`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

NOTE = 'naïve "q" 文件;a%41 + & = 100 %'
PLAIN_NAME = "plain.txt"
ODD_NAME = 'naïve "q" 文件;a%.txt'
PLAIN_BYTES = b"--\r\n--boundary--\n\r\nContent-Disposition: form-data; name=x\r\n" * 40
ODD_BYTES = bytes(range(256)) * 300 + b"\r\n--"


@dataclass(frozen=True, slots=True)
class Files:
    """Both files on the disk, under their own names."""

    folder: Path

    @property
    def plain(self) -> Path:
        """The file with the plain name."""
        return self.folder / PLAIN_NAME

    @property
    def odd(self) -> Path:
        """The file with the odd name."""
        return self.folder / ODD_NAME

    def write(self) -> None:
        """Write both; the folder must exist."""
        self.plain.write_bytes(PLAIN_BYTES)
        self.odd.write_bytes(ODD_BYTES)

    def environment(self) -> dict[str, str]:
        """The variables for the scripts. The quoted ones are for clients that do not quote a URL."""
        return {
            "NOTE": NOTE,
            "NOTE_QUOTED": quote(NOTE, safe=""),
            "PLAIN": str(self.plain),
            "ODD": str(self.odd),
            "ODD_QUOTED": quote(ODD_NAME, safe=""),
        }


def described(data: bytes) -> tuple[int, str]:
    """Size in bytes and SHA-256, as the servers describe a file."""
    return len(data), hashlib.sha256(data).hexdigest()
