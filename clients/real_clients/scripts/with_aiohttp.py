"""aiohttp: URL KIND."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp


async def upload(url: str, kind: str) -> None:
    """One form; its multipart and its framing are aiohttp's."""
    with Path(os.environ["PLAIN"]).open("rb") as plain, Path(os.environ["ODD"]).open("rb") as odd:
        form = aiohttp.FormData()
        form.add_field("note", os.environ["NOTE"])
        form.add_field("plain", plain)
        form.add_field("odd", odd)
        chunked = True if kind == "chunked" else None
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(url, data=form, chunked=chunked, expect100=kind == "expect") as response,
        ):
            await response.read()


asyncio.run(upload(*sys.argv[1:]))
