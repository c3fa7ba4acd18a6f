"""ModSecurity, a firewall: what its rules see in a form, and which forms it blocks as malformed."""

import re
import sys
import tempfile
from pathlib import Path

from answer import file_entry, serve_form_reader
from libmodsecurity import ModSecurity, RulesSet

# The checks of its recommended configuration; then all that it sees is gathered, in hexadecimal.
RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecUploadKeepFiles On
SecTmpDir {folder}
SecUploadDir {folder}
SecRule REQBODY_ERROR "!@eq 0" "id:1,phase:2,deny,status:400"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:2,phase:2,deny,status:400"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" "id:3,phase:2,deny,status:400"
SecRule ARGS_POST|FILES|FILES_TMPNAMES "@unconditionalMatch" "id:4,phase:2,pass,nolog,t:none,t:hexEncode,\
setvar:'tx.seen=%{{tx.seen}}|%{{MATCHED_VAR_NAME}}:%{{MATCHED_VAR}}'"
SecRule TX:seen "@unconditionalMatch" "id:5,phase:2,pass,log,logdata:'%{{MATCHED_VAR}}'"
"""
_SEEN = re.compile(r"\|(ARGS_POST|FILES|FILES_TMPNAMES):(.*?):([0-9a-f]*)(?=\||$)", re.DOTALL)


def read(environ):
    told = []
    engine.set_rule_message_callback(lambda message: told.append(message.data))
    with engine.transaction(rules) as transaction:
        transaction.process_connection("127.0.0.1", 1, "127.0.0.1", 80)
        transaction.process_uri("/", "POST", "1.1")
        for field in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            transaction.add_request_header(field.replace("_", "-").title(), environ[field])
        transaction.process_request_headers()
        transaction.append_request_body(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        transaction.process_request_body()
        found = transaction.intervention()
    if found is not None and found.disruptive:
        raise PermissionError(found.log)
    seen = [(kind, name, bytes.fromhex(value)) for kind, name, value in _SEEN.findall("".join(told[-1:]))]
    paths = [value.decode() for kind, _, value in seen if kind == "FILES_TMPNAMES"]
    names = [(name, value.decode("utf-8", "replace")) for kind, name, value in seen if kind == "FILES"]
    files = [file_entry(*one, None, Path(path).read_bytes()) for one, path in zip(names, paths, strict=True)]
    return [(name, value) for kind, name, value in seen if kind == "ARGS_POST"], files


with tempfile.TemporaryDirectory() as folder:
    engine, rules = ModSecurity(), RulesSet()
    assert rules.load(RULES.format(folder=folder)) > 0, rules.get_parser_error()
    serve_form_reader(read, sys.argv[1], (PermissionError,))
