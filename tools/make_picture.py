"""Makes the README's picture: Q4.2's seven validation curves, from a real run.

    argbest serve &
    python tools/make_picture.py [URL]

Has the service at URL (by default that of ``argbest serve``) run ``q4_feedforward``, unless it has
already, and writes the plot to ``docs/img/q4_feedforward.svg``. Training seven networks for 20
epochs takes minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from argbest import Client
from service.client import DEFAULT_URL

BODY = {"search_space": "q4_feedforward"}
PLOT = "validation_accuracy"
PICTURE = Path(__file__).parents[1] / "docs" / "img" / "q4_feedforward.svg"


def finished_job(client: Client) -> str:
    """Return the id of a job that has run ``BODY``: one that is there, or else a new one."""
    fingerprint = client.plan(BODY).fingerprint
    there = client.jobs(fingerprint=fingerprint, state="succeeded", limit=1).items
    job = there[0] if there else client.wait(client.submit(BODY).id)
    if not job.has_succeeded:
        sys.exit(f"job {job.id} is {job.state}: {job.error}")
    return job.id


def main(arguments: list[str]) -> None:
    """Run the search and write the picture."""
    with Client(arguments[0] if arguments else DEFAULT_URL) as client:
        job_id = finished_job(client)
        picture = client.plot(job_id, PLOT, "svg")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE}: {len(picture)} bytes, from job {job_id}")


if __name__ == "__main__":
    main(sys.argv[1:])
