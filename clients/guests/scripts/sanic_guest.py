"""Sanic: a parser of its own."""

import sys

from answer import file_entry, told
from sanic import Sanic
from sanic.response import json

app = Sanic("guest")


@app.post("/")
async def upload(request):
    fields = [(name, value) for name, values in (request.form or {}).items() for value in values]
    sent = [(name, file) for name, of_name in (request.files or {}).items() for file in of_name]
    files = [file_entry(name, file.name, file.type, file.body) for name, file in sent]
    is_json = request.headers.get("content-type", "").startswith("application/json")
    return json({**told(fields, files), "json": request.json if is_json else None})


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, motd=False, access_log=False)
