"""Which servers the page talks to: some that it starts itself, and any that are given by their URLs."""

from collections.abc import Callable, Mapping

import streamlit as st

from ..http1.errors import UsageError
from ..http1.request_url import parse_request_url
from ..launch import LaunchError
from .own_servers import OwnServer
from .plain_text import plain

OWN = ("socket", "flask", "gunicorn")
"""The backends that the page can start."""


def _start(name: str) -> OwnServer:
    return OwnServer(name)


own_server: Callable[[str], OwnServer] = st.cache_resource(
    scope="session", on_release=OwnServer.stop, show_spinner="Starting a server ..."
)(_start)
"""The page's own backend of this name. It stops when the browser leaves the page."""


def chosen_servers() -> Mapping[str, str]:
    """Draw the choice in the sidebar. Returns a URL, without a final slash, for each server by its name.

    Without a URL and a choice it is the page's own socket server.
    """
    with st.sidebar:
        st.header("Servers")
        text = st.text_area(
            "URLs of servers, one a line",
            key="urls",
            placeholder="http://127.0.0.1:8000",
            help="Leave it empty, and the page starts servers of its own and stops them when you leave.",
        )
        urls = [line.strip().rstrip("/") for line in text.splitlines() if line.strip()]
        if urls:
            return _given(urls)
        names = st.multiselect("or servers that this page starts", OWN, default=["socket"], key="own")
        return _own(names or ["socket"])


def _given(urls: list[str]) -> Mapping[str, str]:
    for url in urls:
        try:
            parse_request_url(url)
        except UsageError as error:
            st.error(plain(f"{url} is not the URL of a server: {error}"))
            return {}
    return {url: url for url in urls}


def _own(names: list[str]) -> Mapping[str, str]:
    servers = {}
    for name in names:
        try:
            servers[name] = own_server(name).url
        except LaunchError as error:
            st.error(f"The {name} server did not start.")
            st.code(str(error))
    for name, url in servers.items():
        st.caption(f"{name} listens on {url}")
    return servers
