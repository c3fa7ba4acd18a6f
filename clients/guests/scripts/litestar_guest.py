"""Litestar: the parser of the package multipart, behind a form of its own."""

import sys
from typing import Any

import uvicorn
from answer import file_entry, told
from litestar import Litestar, Request, post


@post("/", status_code=200)
async def upload(request: Request) -> dict[str, Any]:
    is_json = request.headers.get("content-type", "").startswith("application/json")
    if is_json:
        return {**told([], []), "json": await request.json()}
    form = list((await request.form()).multi_items())
    uploads = [(name, value) for name, value in form if hasattr(value, "filename")]
    fields = [(name, value) for name, value in form if not hasattr(value, "filename")]
    files = [file_entry(name, f.filename, f.content_type, await f.read()) for name, f in uploads]
    return told(fields, files)


uvicorn.run(Litestar([upload]), port=int(sys.argv[1]), log_level="critical")
