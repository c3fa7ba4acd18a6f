"""Stock Flask: reads a form, stores each file, and tells names, values and SHA-256."""

import os
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory
from werkzeug.datastructures import FileStorage

app = Flask(__name__)
_STORE = Path(os.environ["PEER_STORE"])
_BLOCK = 1 << 18


def _keep(file: FileStorage) -> dict[str, Any]:
    name, digest, size = uuid.uuid4().hex, sha256(), 0
    with (_STORE / name).open("wb", buffering=0) as stored:
        while block := file.stream.read(_BLOCK):
            digest.update(block)
            stored.write(block)
            size += len(block)
    return {
        "filename": file.filename,
        "size": size,
        "sha256": digest.hexdigest(),
        "href": f"/files/{name}",
    }


@app.post("/upload/")
def upload() -> dict[str, Any]:
    """Fields and files by name, and JSON."""
    body = request.get_json() if request.is_json else None
    files = {name: list(map(_keep, of_name)) for name, of_name in request.files.lists()}
    return {"form": request.form.to_dict(flat=False), "files": files, "json": body}


@app.get("/files/<name>")
def stored_file(name: str) -> Response:
    """A stored file, whole or a range of it."""
    return send_from_directory(_STORE, name, mimetype="application/octet-stream")
