"""Bytes as rows of text that is safe to print, and in hexadecimal."""

from collections.abc import Iterator

_LINE_ENDS = str.maketrans({"\r": "␍", "\n": "␊", "\t": "␉"})


def is_text(data: bytes) -> bool:
    """Whether it is printable UTF-8. The last character may be incomplete, because more bytes may follow."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start > 0 and is_text(data[: error.start])
    return all(character.isprintable() or character in "\r\n\t" for character in text)


def visible(line: bytes | str) -> str:
    """The line with control characters made visible, so that none reaches the terminal (H058)."""
    text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text.translate(_LINE_ENDS))


def as_text(data: bytes) -> Iterator[str]:
    """One row for each line."""
    for line in data.splitlines(keepends=True):
        yield visible(line)


def row_size(columns: int) -> int:
    """How many octets a row of so many columns shows: at most sixteen."""
    return min(max((columns - 1) // 16 * 4, 4), 16)


def as_hex(data: bytes, size: int) -> Iterator[str]:
    """Rows of `size` octets, in hexadecimal and as characters."""
    for offset in range(0, len(data), size):
        row = data[offset : offset + size]
        characters = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        yield f"{row.hex(' '):<{3 * size - 1}}  {characters}"
