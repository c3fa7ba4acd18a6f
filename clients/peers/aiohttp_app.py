"""aiohttp, with its reader of multipart bodies, which streams."""

import sys

from aiohttp import web
from stored import BLOCK, STORE, Stored


async def keep(part):
    with Stored(part.filename) as stored:
        while block := await part.read_chunk(BLOCK):
            stored.write(block)
    return stored.told()


async def upload(request):
    if request.content_type == "application/json":
        return web.json_response({"form": {}, "files": {}, "json": await request.json()})
    fields, files = {}, {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if part.filename is None:
                fields.setdefault(part.name, []).append(await part.text())
            else:
                files.setdefault(part.name, []).append(await keep(part))
    else:
        for name, value in (await request.post()).items():
            fields.setdefault(name, []).append(value)
    return web.json_response({"form": fields, "files": files, "json": None})


async def stored_file(request):
    return web.FileResponse(STORE / request.match_info["name"])


app = web.Application()
app.router.add_post("/upload/", upload)
app.router.add_get("/files/{name}", stored_file)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
