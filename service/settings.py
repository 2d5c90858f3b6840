"""The settings of the service, each an environment variable ``ARGBEST_<NAME>``.

``Settings()`` reads the environment when it is called, not when this module is imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from results.storage import SCHEMES, hide_credentials
from service.log_lines import LogFormat


def default_data_dir() -> Path:
    """Return the operating system's data folder of the user for argbest."""
    return Path(platformdirs.user_data_dir("argbest"))


class Settings(BaseSettings):
    """Folders, addresses and limits of the service."""

    model_config = SettingsConfigDict(env_prefix="ARGBEST_", frozen=True, env_ignore_empty=True)

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="folder of the database, data sets, logs and the local Ray's files",
    )
    database_url: str = Field(
        "", description="SQLAlchemy URL of the database; SQLite in the data folder if empty"
    )
    cache_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("argbest")),
        description="folder of compiled training loops, kept for later jobs",
    )
    search_spaces_dir: Path | None = Field(
        None, description="folder of your own search spaces (*.yaml)"
    )
    fashion_mnist_dir: Path | None = Field(
        None, description="folder that already holds Fashion-MNIST's four .gz files"
    )
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port that the API listens on")
    auth: Literal["auto", "on", "off"] = Field(
        "auto", description="whether clients need tokens; auto: beyond loopback"
    )
    allow_commands: bool = Field(
        default=False,
        description="whether clients may send programs to run; then all of them need tokens",
    )
    allowed_hosts: str = Field(
        "", description="further names of the service in URLs, separated by commas; * for any"
    )
    ray_address: str = Field(
        default_factory=lambda: os.environ.get("RAY_ADDRESS", ""),
        description="host:port of a running Ray; `argbest serve` starts one if empty",
    )
    dashboard_url: str = Field("", description="URL of the Ray dashboard, shown on each job")
    dashboard_api_url: str = Field(
        "", description="where the API reaches the dashboard, if not at the URL that is shown"
    )
    dashboard_port: int = Field(
        8265,
        ge=1,
        le=65535,
        description="port of the local Ray's dashboard (next free one if taken)",
    )
    num_cpus: int | None = Field(
        None, ge=1, description="CPU slots of the local Ray; all cores if unset"
    )
    max_concurrent_jobs: int = Field(
        8, ge=1, description="jobs that one controller drives at the same time"
    )
    spare_drivers: int = Field(
        1, ge=0, description="drivers that wait, connected, for the next jobs"
    )
    warm_processes: int = Field(
        2, ge=0, description="trial processes that each waiting driver keeps ready"
    )
    storage: str = Field(
        "", description="folder or URI of checkpoints and models; in the data folder if empty"
    )
    checkpoint_seconds: float = Field(
        30.0, ge=0, description="seconds between two checkpoints of a trial; 0: after every epoch"
    )
    max_checkpoint_bytes: int = Field(
        1024 * 1024 * 1024, ge=1024, description="largest checkpoint of a trial"
    )
    max_program_memory_bytes: int = Field(
        0, ge=0, description="memory of a trial's program with all its processes; 0: no limit"
    )
    max_program_disk_bytes: int = Field(
        20 * 1024 * 1024 * 1024,
        ge=0,
        description="files of a trial's program, its code and checkpoints included; 0: no limit",
    )
    max_trials: int = Field(10_000, ge=1, description="most trials that one job may have")
    max_dataset_bytes: int = Field(
        256 * 1024 * 1024, ge=1024, description="largest file of a user's data set"
    )
    max_body_bytes: int = Field(1_000_000, ge=1024, description="largest request body")
    max_code_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description="largest archive of code that a search sends; unpacked it has 8 times as much",
    )
    min_free_bytes: int = Field(
        200 * 1024 * 1024,
        ge=0,
        description="free bytes in the data folder below which new jobs are refused",
    )
    max_log_bytes: int = Field(
        16 * 1024 * 1024,
        ge=64 * 1024,
        description="largest log file of a job, and of each trial process in Ray's own folder",
    )
    max_trial_log_bytes: int = Field(
        1024 * 1024, ge=16 * 1024, description="largest log of one trial; the newest lines stay"
    )
    event_days: float = Field(
        30.0, gt=0, description="days for which events are kept: changes of state"
    )
    log_format: LogFormat = Field("text", description="format of the log: text, or a line of json")
    lease_seconds: float = Field(
        15.0, ge=2, description="how long a silent driver keeps its job before it is taken over"
    )
    max_claims: int = Field(
        20, ge=1, description="times a job whose driver was lost is started before it fails"
    )

    @field_validator("allow_commands")
    @classmethod
    def _with_tokens(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        """Refuse commands without tokens: anybody who reaches the service could run any code."""
        if value and info.data.get("auth") == "off":
            raise ValueError(
                "needs tokens, and ARGBEST_AUTH is off: set that to on, or leave it out"
            )
        return value

    @field_validator("ray_address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        """Refuse "auto" and ray://, at which a controller cannot check whether Ray is there."""
        host, _, port = value.rpartition(":")
        if value and not (host and "/" not in host and port.isdecimal()):
            raise ValueError(
                f"{value!r} is not host:port; give the address that `ray start --head` prints, "
                "such as 10.0.0.5:6379"
            )
        return value

    @field_validator("storage")
    @classmethod
    def _folder_or_uri(cls, value: str) -> str:
        """Refuse unknown schemes at the start, and make a folder's path absolute."""
        scheme, separator, rest = value.partition("://")
        if not separator:
            return value and str(Path(value).expanduser().absolute())
        if scheme not in SCHEMES or not rest.strip("/"):
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise ValueError(
                f"{hide_credentials(value)!r} is neither the path of a folder nor a URI with one; "
                f"URIs begin with {known}"
            )
        return value

    @field_validator("data_dir", "cache_dir", "search_spaces_dir", "fashion_mnist_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Trial processes run in folders of their own, where a relative path would differ."""
        return None if value is None else value.expanduser().absolute()

    @property
    def store_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'argbest.db'}"

    @property
    def storage_uri(self) -> str:
        """The folder or URI of the storage, with the default filled in."""
        return self.storage or str(self.data_dir / "storage")

    @property
    def datasets_dir(self) -> Path:
        """The folder of prepared data sets, one copy on each node."""
        return self.data_dir / "datasets"

    @property
    def logs_dir(self) -> Path:
        """The folder of the jobs' log files."""
        return self.data_dir / "logs"

    @property
    def tune_dir(self) -> Path:
        """Where each driver has a folder while Ray Tune runs."""
        return self.ray_dir / "tune"

    @property
    def ray_dir(self) -> Path:
        """The folder of the local Ray's token and state file and of Tune's snapshots."""
        return self.data_dir / "ray"

    def log_file(self, job_id: str) -> Path:
        """Return the log file of a job; ``job_id`` must come from the store, not from a client."""
        return self.logs_dir / f"{job_id}.log"

    def trial_logs_dir(self, job_id: str) -> Path:
        """Return the folder of the logs of a job's trials; ``job_id`` must come from the store."""
        return self.logs_dir / job_id

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process these same settings."""
        pairs = {f"ARGBEST_{key.upper()}": value for key, value in self if value not in (None, "")}
        return {key: str(value) for key, value in pairs.items()}


def settings_or_exit(**arguments: Any) -> Settings:
    """Return the environment's settings, overridden by ``arguments``.

    Prints one line for each wrong one and raises ``SystemExit(2)`` if any is wrong.
    """
    try:
        return Settings(**arguments)
    except ValidationError as error:
        for item in error.errors():
            name = "_".join(map(str, item["loc"])).upper()
            sys.stderr.write(f"error: ARGBEST_{name}: {item['msg']}\n")
        raise SystemExit(2) from None
