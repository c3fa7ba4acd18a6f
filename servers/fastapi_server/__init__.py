"""What makes uvicorn strict: its connection, its protocol, the body of a request and the head of a scope."""
