"""HTTP: reading requests, routes, answers."""
