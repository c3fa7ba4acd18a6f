"""A view of Flask that tells what it read."""

from hashlib import sha256
from typing import Any

from flask import Flask, request

app = Flask(__name__)


@app.post("/upload")
def upload() -> dict[str, Any]:
    """Fields and files by name, and JSON."""
    files = {
        name: [
            {"filename": f.filename, "sha256": sha256(f.read()).hexdigest(), "content_type": f.mimetype}
            for f in of
        ]
        for name, of in request.files.lists()
    }
    fields, args = request.form.to_dict(flat=False), request.args.to_dict(flat=False)
    return {
        "form": fields,
        "files": files,
        "args": args,
        "json": request.get_json() if request.is_json else None,
    }
