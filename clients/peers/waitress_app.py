"""Stock Flask under waitress: python waitress_app.py PORT"""

import sys

from flask_app import app
from waitress import serve

# Its default refuses bodies of 1 GiB and more.
serve(app, listen=f"127.0.0.1:{sys.argv[1]}", threads=8, max_request_body_size=1 << 40)
