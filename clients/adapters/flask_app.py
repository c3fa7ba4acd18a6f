"""A view of Flask that tells what it read."""

from hashlib import sha256
from typing import Any

from flask import Flask, request
from werkzeug.datastructures import FileStorage

app = Flask(__name__)


def told(file: FileStorage) -> dict[str, Any]:
    """One file."""
    digest = sha256(file.read()).hexdigest()
    return {"filename": file.filename, "content_type": file.content_type, "sha256": digest}


@app.post("/upload")
def upload() -> dict[str, Any]:
    """Fields and files by name, and JSON."""
    files = {name: list(map(told, of_name)) for name, of_name in request.files.lists()}
    args, body = request.args.to_dict(flat=False), request.get_json() if request.is_json else None
    return {"form": request.form.to_dict(flat=False), "files": files, "args": args, "json": body}
