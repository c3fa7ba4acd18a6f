"""Starlette, which FastAPI is made of: python-multipart behind a form parser of its own."""

import sys

import uvicorn
from answer import file_entry, told
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def upload(request):
    is_json = request.headers.get("content-type", "").startswith("application/json")
    form = (await request.form()).multi_items()
    fields = [(name, value) for name, value in form if isinstance(value, str)]
    uploads = [(name, value) for name, value in form if not isinstance(value, str)]
    files = [file_entry(name, f.filename, f.content_type, await f.read()) for name, f in uploads]
    return JSONResponse({**told(fields, files), "json": await request.json() if is_json else None})


uvicorn.run(
    Starlette(routes=[Route("/", upload, methods=["POST"])]), port=int(sys.argv[1]), log_level="critical"
)
