"""The page: its title, the choice of servers, and three tabs."""

import streamlit as st

from .forward_tab import forward_tab
from .received_tab import received_tab
from .server_choice import chosen_servers
from .streams_tab import streams_tab

_TABS = ["1. Received by Streamlit", "2. Sent on to servers", "3. Streams"]


def show() -> None:
    """Draw the whole page. Streamlit calls it again after each action of the user."""
    st.set_page_config(page_title="wireproof: uploads through Streamlit", layout="wide")
    st.title("What happens to an upload")
    servers = chosen_servers()
    received, forwarded, streams = st.tabs(_TABS)
    with received:
        files = received_tab()
    with forwarded:
        forward_tab(files, servers)
    with streams:
        streams_tab(servers)
