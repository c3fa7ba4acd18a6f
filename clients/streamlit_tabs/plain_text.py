"""Text from servers and users, shown by Streamlit as it is: Streamlit reads what it shows as Markdown."""

import re

# What begins something in Markdown, or in Streamlit's own colours, icons and formulas.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:&])")


def plain(text: str) -> str:
    """Markdown that shows `text`, a line for each line."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", "  \n")
