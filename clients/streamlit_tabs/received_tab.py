"""The first tab: what Streamlit hands over for each file, and what it keeps, changes and loses."""

import hashlib
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from .kept_and_lost import FACTS

_READ_BYTES = 1 << 20


def received_tab() -> Sequence[UploadedFile]:
    """Draw the tab, and return the files that were uploaded, in Streamlit's order."""
    st.markdown("Choose one or more files. Your browser sends each of them to Streamlit at once.")
    files: Sequence[UploadedFile] = st.file_uploader("Files", accept_multiple_files=True, key="files")
    if files:
        st.subheader(_heading(len(files)))
        st.dataframe([_row(file) for file in files], hide_index=True, width="stretch")
    st.subheader("What Streamlit keeps, changes and loses")
    st.table([{"of the upload": fact.property, "is": fact.what, "because": fact.sentence} for fact in FACTS])
    return files


def _heading(count: int) -> str:
    return "What Streamlit hands over" + (f": {count} files" if count > 1 else "")


def _row(file: UploadedFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "type": file.type,
        "size": f"{file.size:,} bytes",
        "SHA-256": sha256_of(file),
        "id": file.file_id,
    }


def sha256_of(file: UploadedFile) -> str:
    """The SHA-256 of the file. It is computed once a session, as Streamlit runs the page again and again."""
    known: dict[str, str] = st.session_state.setdefault("sha256", {})
    if file.file_id not in known:
        digest = hashlib.sha256()
        # `getbuffer` would copy the whole file, because Streamlit still holds its bytes.
        while block := file.read(_READ_BYTES):
            digest.update(block)
        file.seek(0)
        known[file.file_id] = digest.hexdigest()
    return known[file.file_id]
