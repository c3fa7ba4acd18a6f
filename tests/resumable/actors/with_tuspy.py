"""python with_tuspy.py URL PATH"""

import sys

from tusclient.client import TusClient

url, path = sys.argv[1:]
client = TusClient(url)
# With `upload_checksum` a piece that is cut off is sent again as a whole.
uploader = client.uploader(
    path, chunk_size=1 << 20, retries=200, retry_delay=0.05, metadata={"filename": "sent.bin"}
)
uploader.upload()
print(uploader.url)
