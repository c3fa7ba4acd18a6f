"""A path operation of FastAPI that tells what it read."""

from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request

app = FastAPI()


async def told(name: str, file: Any) -> dict[str, Any]:
    """One file."""
    digest = sha256(await file.read()).hexdigest()
    return {"name": name, "filename": file.filename, "content_type": file.content_type, "sha256": digest}


@app.post("/upload")
async def upload(request: Request) -> dict[str, Any]:
    """Fields and files in order."""
    form = (await request.form()).multi_items()
    fields = [{"name": name, "value": value} for name, value in form if isinstance(value, str)]
    return {"form": fields, "files": [await told(*item) for item in form if not isinstance(item[1], str)]}
