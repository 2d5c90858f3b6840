"""The Python client."""

#: The address where ``argbest serve`` listens by default.
DEFAULT_URL = "http://127.0.0.1:8000"
