"""pycurl: URL KIND."""

import os
import sys

import pycurl

url, kind = sys.argv[1:]
fields = {"chunked": ["Transfer-Encoding: chunked"], "expect": ["Expect: 100-continue"]}
handle = pycurl.Curl()
handle.setopt(pycurl.URL, url)
handle.setopt(pycurl.HTTPHEADER, fields.get(kind, []))
handle.setopt(pycurl.FAILONERROR, True)
handle.setopt(
    pycurl.HTTPPOST,
    [
        ("note", os.environ["NOTE"].encode()),
        ("plain", (pycurl.FORM_FILE, os.environ["PLAIN"])),
        ("odd", (pycurl.FORM_FILE, os.environ["ODD"].encode())),
    ],
)
handle.setopt(pycurl.WRITEFUNCTION, lambda data: None)
handle.perform()
handle.close()
