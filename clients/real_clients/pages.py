"""The pages for a browser: each sends the form with its field and both files, by submit or by fetch."""

import base64
import json

from .uploads import NOTE, ODD_BYTES, ODD_NAME, PLAIN_BYTES, PLAIN_NAME

_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<form action="/upload/" method="post" enctype="multipart/form-data">
  <input name="note"><input name="plain" type="file"><input name="odd" type="file">
</form>
<pre></pre>
<script type="module">
const upload = %s;
const form = document.querySelector("form");
form.elements.note.value = upload.note;
for (const {input, name, base64, type} of upload.files) {
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type}));
  form.elements[input].files = transfer.files;
}
%s
</script>
"""
_SUBMIT = "form.submit();"
_FETCH = """
const response = await fetch("/upload/", {method: "POST", body: new FormData(form)});
document.querySelector("pre").textContent = await response.text();
"""


def _page(script: str) -> bytes:
    files = [
        {"input": "plain", "name": PLAIN_NAME, "type": "text/plain", "base64": _base64(PLAIN_BYTES)},
        {"input": "odd", "name": ODD_NAME, "type": "", "base64": _base64(ODD_BYTES)},
    ]
    return (_PAGE % (json.dumps({"note": NOTE, "files": files}), script)).encode("ascii")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


PAGES = {"/real_clients/form": _page(_SUBMIT), "/real_clients/fetch": _page(_FETCH)}
