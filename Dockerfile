# One image for every role: API, controller, Ray head, Ray workers. docker-compose.yml says who does what.
FROM python:3.11-slim-bookworm

# g++ compiles the torch training loops; the other package is Fashion-MNIST (30 MB), so that no
# container needs a way to the outside when a job starts.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends dataset-fashion-mnist g++ \
    && rm -rf /var/lib/apt/lists/*

# A new named volume takes owner and mode from the folder that it is mounted on.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin argbest \
    && install -d -o argbest -g argbest -m 0700 \
        /run/ray-token /run/database-password /data /data/datasets /data/storage /cache

# Torch keeps its precompiled header (141 MB) in this folder, whatever TORCHINDUCTOR_CACHE_DIR says:
# lead it into the volume, so that new workers do not build it again.
RUN ln -s /cache /tmp/torchinductor_argbest

# The dependencies have a layer of their own: a change of code does not install them again.
# PIP_EXTRA_INDEX_URL may name PyTorch's index of CPU builds, several gigabytes smaller.
ARG PIP_EXTRA_INDEX_URL=
WORKDIR /opt/argbest
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN pip install --no-cache-dir --constraint requirements.lock '.[postgresql]'

COPY search_spaces search_spaces
COPY trainables trainables
COPY results results
COPY docs/theory docs/theory
COPY service service
COPY handin handin
COPY argbest argbest
RUN pip install --no-cache-dir --no-deps --force-reinstall .

COPY docker/entrypoint docker/healthy docker/node-ip /usr/local/bin/

# RAY_ROTATION_*: Ray's log files, which hold what trials print, would grow without end.
# RAY_gcs_create_...: a trial that waits for a slot asks again after 0.1 s, but by default ever later, up to
# 1 s: each new job would go before those that have waited long.
# RAY_gcs_rpc_...: seconds after which a node whose head is gone ends, to join the next one. By default 60;
# longer than a head takes to come back is as bad, since the node then waits for answers of the old one.
# RAY_prestart_...: Ray would start a process for each CPU as a driver connects, which no trial can take.
# RAY_num_workers_...: Ray would end trial processes that were started ahead where others run beside them.
# FORWARDED_ALLOW_IPS: a reverse proxy reaches the API from the address of Docker's gateway. Who else
# sends its headers changes the scheme in URLs of the answer and the client's address, which is not used.
ENV ARGBEST_DATA_DIR=/data \
    ARGBEST_CACHE_DIR=/cache \
    FORWARDED_ALLOW_IPS=* \
    PGPASSFILE=/run/database-password/pgpass \
    RAY_AUTH_MODE=token \
    RAY_AUTH_TOKEN_PATH=/run/ray-token/token \
    RAY_ROTATION_MAX_BYTES=16777216 \
    RAY_ROTATION_BACKUP_COUNT=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    RAY_gcs_create_placement_group_retry_max_interval_ms=100 \
    RAY_gcs_rpc_server_reconnect_timeout_s=2 \
    RAY_num_workers_soft_limit=1000 \
    RAY_prestart_worker_first_driver=false

# By number, so that Kubernetes can check `runAsNonRoot`.
USER 10001
WORKDIR /data
ENTRYPOINT ["entrypoint"]
