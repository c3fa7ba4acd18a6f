"""aiohttp's server: a parser of its own."""

import sys

from aiohttp import web
from answer import file_entry, told


async def upload(request):
    fields, files = [], []
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files.append(file_entry(name, value.filename, value.content_type, value.file.read()))
        else:
            text = value if isinstance(value, str) else bytes(value).decode("utf-8", "backslashreplace")
            fields.append((name, text))
    body = await request.json() if request.content_type == "application/json" else None
    return web.json_response({**told(fields, files), "json": body})


app = web.Application()
app.add_routes([web.post("/", upload)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
