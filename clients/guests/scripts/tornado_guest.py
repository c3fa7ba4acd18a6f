"""Tornado: a parser of its own."""

import asyncio
import sys

from answer import file_entry, told_text
from tornado.web import Application, RequestHandler


class Upload(RequestHandler):
    def post(self):
        fields = [(name, value) for name, values in self.request.body_arguments.items() for value in values]
        sent = [(name, file) for name, of_name in self.request.files.items() for file in of_name]
        files = [file_entry(name, file.filename, file.content_type, file.body) for name, file in sent]
        self.set_header("Content-Type", "application/json")
        self.write(told_text(fields, files))


async def main():
    Application([("/", Upload)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
