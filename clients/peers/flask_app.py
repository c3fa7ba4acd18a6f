"""Stock Flask."""

from flask import Flask, request, send_from_directory
from stored import BLOCK, STORE, Stored

app = Flask(__name__)


def keep(file):
    with Stored(file.filename) as stored:
        while block := file.stream.read(BLOCK):
            stored.write(block)
    return stored.told()


@app.post("/upload/")
def upload():
    body = request.get_json() if request.is_json else None
    files = {name: [keep(file) for file in of_name] for name, of_name in request.files.lists()}
    return {"form": request.form.to_dict(flat=False), "files": files, "json": body}


@app.get("/files/<name>")
def stored_file(name):
    return send_from_directory(STORE, name, mimetype="application/octet-stream")
