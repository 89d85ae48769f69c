# The image of all processes: losus serve, relay, watch, poll, listen, settle, retention, migrate, doctor.
# Nothing is installed but what requirements.lock names with its hash; it runs as nobody in particular, with
# a root file system that may be read-only (it writes nothing; /tmp is for whoever asks for a picture).
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build

# The tools that make the wheel, in a place of their own: they do not go into the image.
COPY tests/requirements.lock tools.lock
RUN python -m venv tools \
 && sed -n '/^\(hatchling\|packaging\|pathspec\|pluggy\|tomlkit\|trove-classifiers\)==/,/[^\\]$/p' tools.lock > wheel.lock \
 && tools/bin/pip install --quiet --no-deps --require-hashes --only-binary :all: -r wheel.lock

COPY requirements.lock ./
RUN python -m venv /opt/losus \
 && /opt/losus/bin/pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md ./
COPY adapter adapter
COPY mappings mappings
COPY agreements agreements
RUN tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/losus/bin/pip install --quiet --no-deps --no-index dist/*.whl \
 && /opt/losus/bin/pip uninstall --quiet --yes pip setuptools \
 && python -m compileall -q -j 0 /opt/losus

FROM ${BASE}
LABEL org.opencontainers.image.title="losus-adapter" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/losus /opt/losus
ENV PATH=/opt/losus/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
# For every process that was given its pages with --port 8000, as `serve` is below.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "from urllib.request import urlopen as ask; ask('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["losus"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
