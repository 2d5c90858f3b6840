"""Commands of the repository that are no part of the service: demonstration, chaos, load."""
