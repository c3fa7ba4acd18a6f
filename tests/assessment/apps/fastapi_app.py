"""A small application of FastAPI."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from starlette.exceptions import HTTPException as StarletteException

from .faults import File, answer_with, body_with, status_with


def create_app(fault: str) -> FastAPI:
    """The application with this fault; "" for none."""
    app = FastAPI()

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, Any]:
        if fault:
            sent = await request.body()
            if (status := status_with(fault, sent)) != 200:
                raise HTTPException(status)
            request._body = body_with(fault, sent)
        try:
            form = (await request.form()).multi_items()
        except StarletteException:
            if fault == "a malformed form is an empty form":
                form = []
            else:
                raise
        fields = [(name, value) for name, value in form if isinstance(value, str)]
        files: list[File] = [
            (name, file.filename, file.content_type, await file.read())
            for name, file in form
            if not isinstance(file, str)
        ]
        return answer_with(fault, fields, files)

    return app
