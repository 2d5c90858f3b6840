"""Kills processes of the service at random points and counts what was lost: `make chaos`."""
