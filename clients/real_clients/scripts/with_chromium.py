"""Headless Chromium opens a page of the recorder, which submits a form: URL KIND PROGRAM PAGE.

The form has the field and both files.
"""

import subprocess
import sys
import tempfile
from urllib.parse import urljoin

url, _, program, page = sys.argv[1:]
flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
# Otherwise it connects to hosts of Google, which fails in a closed network.
flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
# Virtual time stands still while a request is under way, so there is no race.
flags += ["--virtual-time-budget=5000", "--dump-dom"]
with tempfile.TemporaryDirectory() as profile:
    command = [program, *flags, f"--user-data-dir={profile}", urljoin(url, page)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
if '"files":' not in done.stdout:
    sys.exit(f"no description of the upload:\n{done.stdout[:2000]}\n{done.stderr[-2000:]}")
