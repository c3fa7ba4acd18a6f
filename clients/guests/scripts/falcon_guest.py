"""Falcon: its media handlers."""

import sys

import falcon
from answer import file_entry, serve_wsgi, told


class Upload:
    def on_post(self, request, response):
        media = request.get_media(default_when_empty=None)
        fields, files, body = [], [], None
        if isinstance(media, falcon.media.multipart.MultipartForm):
            for part in media:
                if part.filename is None:
                    fields.append((part.name, part.text))
                else:
                    data = part.stream.read()
                    files.append(file_entry(part.name, part.filename, part.content_type, data))
        elif request.content_type == falcon.MEDIA_URLENCODED:
            for name, value in (media or {}).items():
                fields += [(name, each) for each in (value if isinstance(value, list) else [value])]
        else:
            body = media
        response.media = {**told(fields, files), "json": body}


app = falcon.App()
app.req_options.media_handlers[falcon.MEDIA_MULTIPART] = falcon.media.MultipartFormHandler()
app.add_route("/", Upload())
serve_wsgi(app, sys.argv[1])
