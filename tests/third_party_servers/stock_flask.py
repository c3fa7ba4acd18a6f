"""A Flask application as tutorials write it: nothing strict, nothing configured."""

from hashlib import sha256
from typing import Any

from flask import Flask, request

app = Flask(__name__)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@app.route("/", defaults={"path": ""}, methods=METHODS)
@app.route("/<path:path>", methods=METHODS)
def echo(path: str) -> dict[str, Any]:
    files = [(name, file, file.read()) for name, file in request.files.items(multi=True)]
    return {
        "args": [{"name": name, "value": value} for name, value in request.args.items(multi=True)],
        "form": [{"name": name, "value": value} for name, value in request.form.items(multi=True)],
        "files": [
            {"name": name, "filename": file.filename, "size": len(data), "sha256": sha256(data).hexdigest()}
            for name, file, data in files
        ],
        "json": request.get_json() if request.is_json and request.content_length else None,
        "text": request.get_data(as_text=True) if request.mimetype.startswith("text/") else None,
    }
