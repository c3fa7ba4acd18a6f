"""python with_tuspy.py [--checksum] URL PATH"""

import sys

from tusclient.client import TusClient

*flags, url, path = sys.argv[1:]
# With checksums, a piece that is cut off is sent again as a whole.
uploader = TusClient(url).uploader(
    path,
    chunk_size=1 << 18,
    retries=200,
    retry_delay=0.05,
    metadata={"filename": "sent.bin"},
    upload_checksum="--checksum" in flags,
)
uploader.upload()
print(uploader.url)
