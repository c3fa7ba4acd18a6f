"""The second tab: sends the received files on, and shows the bytes and the answers."""

from collections.abc import Mapping, Sequence

import click
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ..cli.output import pretty, refusal
from ..http1.errors import UsageError
from .forwarding import TRANSPORTS, Answer, difference, fields_of, forward, upload_url
from .plain_text import plain

# What is shown of each entry of the result; the whole is below it.
_COLUMNS = {"form": ("name", "value"), "files": ("name", "filename", "content_type", "size", "sha256")}
_CLIENTS = {"socket": "bytes made by hand", "requests": "the library requests"}


def forward_tab(files: Sequence[UploadedFile], servers: Mapping[str, str]) -> None:
    """Draw the tab. A press of the button sends the files to all `servers`."""
    st.markdown("Send the files on as one form, with fields beside them, and see how each server reads it.")
    left, middle, right = st.columns(3)
    text = left.text_area("Fields, one `name=value` a line", "a=123", height=75, key="fields")
    name = middle.text_input("Name of the field for each file", "file", key="field_name")
    client = right.radio("Client", list(TRANSPORTS), format_func=_CLIENTS.__getitem__, key="client")
    st.caption(_what_is_sent(files))
    if not st.button("Send", type="primary", key="send", disabled=not servers):
        return
    try:
        parts = [(name, (file.name, file, file.type)) for file in files]
        targets = {server: upload_url(url) for server, url in servers.items()}
        with st.spinner("Sending ..."):
            answers = forward(targets, client, fields_of(text), parts)
    except UsageError as error:
        st.error(plain(str(error)))
        return
    _show_agreement(answers)
    for answer, column in zip(answers, st.columns(len(answers)), strict=True):
        with column:
            _show_answer(answer)
    _show_bytes(answers[0])


def _what_is_sent(files: Sequence[UploadedFile]) -> str:
    if not files:
        return "No file is chosen: the fields alone are sent."
    return f"{len(files)} file{'s' * (len(files) > 1)}, {sum(file.size for file in files):,} bytes"


def _show_agreement(answers: Sequence[Answer]) -> None:
    """One sentence on whether the servers read the upload alike."""
    if len(answers) < 2:
        return
    names = " and ".join([", ".join(answer.server for answer in answers[:-1]), answers[-1].server])
    found = difference(answers)
    if found is None:
        st.success(plain(f"{names} read the upload alike."))
    else:
        st.error(plain(f"The servers differ. {found}"))


def _show_answer(answer: Answer) -> None:
    status = "" if answer.response is None else f": {answer.response.status}"
    st.subheader(plain(answer.server + status))
    if answer.response is None:
        st.error(plain(answer.error))
    elif 200 <= answer.response.status < 300:
        _show_result(answer)
    else:
        st.warning(plain(click.unstyle(refusal(answer.response))))


def _show_result(answer: Answer) -> None:
    """The fields and the files that the server found, and its whole answer."""
    assert answer.response is not None
    result = answer.response.json_object() or {}
    for member, columns in _COLUMNS.items():
        entries = result.get(member)
        if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
            st.caption(f"{member}: {len(entries) or 'none'}")
            rows = [{column: entry.get(column) for column in columns} for entry in entries]
            if rows:
                st.dataframe(rows, hide_index=True, width="stretch")
    with st.expander("The whole answer"):
        st.code(pretty(answer.response), language=None)


def _show_bytes(answer: Answer) -> None:
    st.subheader(plain(f"The {answer.sent.size:,} bytes that were sent to {answer.server}"))
    st.code(answer.sent.shown(), language=None)
