"""The result: a request described as canonical JSON (contract section 3).

The text is put together here, and not by an encoder of dictionaries, because it is made for every request and
most of it was made before: the heads of requests and of parts are the same again and again.
"""

from functools import lru_cache

from .canonical import pairs_text, string_text, text_of
from .remembered import MOST_RESULTS
from .request import FileEntry, FormField, Pair, ParsedBody, ParsedRequest

# The part headers of other forms are written anew each time, so that clients cannot fill the memory.
_MOST_FIELDS = 4
_MOST_OF_A_FIELD = 256


def describe(request: ParsedRequest) -> bytes:
    """The result for a request. Every key is always present, and lists keep the order of arrival."""
    head, body = request.head.described, request.body
    files = ",".join([_file(file) for file in body.files])
    form = ",".join([_field(field) for field in body.form])
    value = "null" if body.json is None else text_of(body.json)
    text = (
        f'{{"args":{head.args},"auth":{head.auth},"body":{_body(body)},"cookies":{head.cookies},'
        f'"files":[{files}],"form":[{form}],"headers":{head.headers},"host":{head.host},"json":{value},'
        f'"method":{head.method},"path":{head.path},"target":{head.target},"text":{string_text(body.text)}}}\n'
    )
    return text.encode("ascii")


def _body(body: ParsedBody) -> str:
    media_type = body.media_type
    essence, parameters = (None, ()) if media_type is None else (media_type.essence, media_type.parameters)
    return (
        f'{{"kind":"{body.kind}","media_type":{string_text(essence)},"parameters":{pairs_text(parameters)},'
        f'"sha256":{string_text(body.sha256)},"size":{body.size}}}'
    )


def _field(field: FormField) -> str:
    return (
        f'{{"headers":{_part_headers(field.headers)},"index":{field.index},"name":{string_text(field.name)},'
        f'"value":{string_text(field.value)}}}'
    )


def _file(file: FileEntry) -> str:
    href = f'"/files/{file.sha256}"' if file.stored else "null"
    return (
        f'{{"content_type":{string_text(file.content_type)},"filename":{string_text(file.filename)},'
        f'"headers":{_part_headers(file.headers)},"href":{href},"index":{file.index},'
        f'"name":{string_text(file.name)},"sha256":{string_text(file.sha256)},"size":{file.size}}}'
    )


def _part_headers(headers: tuple[Pair, ...]) -> str:
    if len(headers) > _MOST_FIELDS:
        return pairs_text(headers)
    for name, value in headers:
        if len(name) + len(value) > _MOST_OF_A_FIELD:
            return pairs_text(headers)
    return _short_part_headers(headers)


@lru_cache(MOST_RESULTS)
def _short_part_headers(headers: tuple[Pair, ...]) -> str:
    return pairs_text(headers)
