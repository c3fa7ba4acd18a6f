"""FastAPI, as its documentation reads forms and files."""

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import UploadFile
from stored import BLOCK, STORE, Stored

app = FastAPI()


async def keep(file):
    with Stored(file.filename) as stored:
        while block := await file.read(BLOCK):
            stored.write(block)
    return stored.told()


@app.post("/upload/")
async def upload(request: Request):
    if request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"form": {}, "files": {}, "json": await request.json()})
    fields, files = {}, {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.setdefault(name, []).append(await keep(value))
            else:
                fields.setdefault(name, []).append(value)
    return JSONResponse({"form": fields, "files": files, "json": None})


@app.get("/files/{name}")
async def stored_file(name: str):
    return FileResponse(STORE / name, media_type="application/octet-stream")
