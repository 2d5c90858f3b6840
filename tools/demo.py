"""`make demo`: two searches on real data by a service of its own, which is stopped at the end.

Starts `argbest serve` over the folder `demo/`, POSTs two searches, shows their progress, prints
each best configuration and writes each report. The second search runs 3 epochs per trial instead
of 20, so that the demonstration takes minutes; the figures are those of 3 epochs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "demo"
ARGBEST = Path(sys.executable).with_name("argbest")
JOBS = ({"search_space": "q2_linear_regression"},
        {"search_space": "q4_logistic_regression", "epochs": 3})  # fmt: skip
START_SECONDS = 120


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def argbest(*arguments: str) -> str:
    """Run one command, showing its progress, and return what it printed."""
    done = subprocess.run([ARGBEST, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def run(url: str, body: dict[str, object]) -> None:
    """POST one search, follow it to its end and write its report."""
    print(f"\nPOST {url}/api/v1/jobs  {body}")
    answer = httpx2.post(f"{url}/api/v1/jobs", json=body)
    answer.raise_for_status()
    job_id = answer.json()["id"]
    argbest("watch", job_id)
    print(f"best configuration of {body['search_space']}:\n{argbest('best', job_id)}")
    report = FOLDER / f"{body['search_space']}.html"
    argbest("report", job_id, "-o", str(report))
    print(f"report: {report}")


def main() -> int:
    """Start the service, run both searches, stop the service."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for leftover in FOLDER.glob("argbest.db*"):  # jobs of an interrupted run; its data sets stay
        leftover.unlink()
    url = f"http://127.0.0.1:{free_port()}"
    os.environ["ARGBEST_URL"] = url
    port = url.rpartition(":")[2]
    command = [ARGBEST, "serve", "--data-dir", str(FOLDER), "--port", port]
    service = subprocess.Popen(command)
    try:
        wait_until_ready(service, url)
        for body in JOBS:
            run(url, body)
    finally:
        service.terminate()
        service.wait()
    print(f"\nThe service has stopped; its data are in {FOLDER}. `make serve` starts one to stay.")
    return 0


def wait_until_ready(service: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the service can take work; exit with its status if it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if service.poll() is not None:
            sys.exit(f"argbest serve ended with status {service.returncode}")
        if is_ready(url):
            return
        time.sleep(0.5)
    sys.exit(f"the service was not ready within {START_SECONDS} s")


def is_ready(url: str) -> bool:
    """Whether the service answers that it can take work."""
    try:
        return httpx2.get(f"{url}/readyz").status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


if __name__ == "__main__":
    sys.exit(main())
