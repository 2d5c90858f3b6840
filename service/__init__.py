"""The edges: settings, HTTP, jobs, the controller, the driver, the client and the command line."""
