"""The code that is sent along with a search: packed into an archive, checked, and unpacked."""
