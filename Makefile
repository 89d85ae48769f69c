# The way in for a newcomer: `make demo` and `make test`. Everything goes into .venv and .cache.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Hundreds of processes import this code: what it compiles to is kept, whatever the caller's shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo sandbox test test-quick test-long fetch check scan sbom bench soak lock clean

setup: $(STAMP)

# Anew whenever what is to be installed has changed; otherwise nothing is done.
$(STAMP): tests/requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what tests/requirements.lock names …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	@$(BIN)/losus demo

sandbox: setup
	@$(BIN)/losus sandbox

# On both cores, a file at a time; what needs the same Java server stays on one worker (tests/schedule.py).
# More: make test WORKERS=4, make test ONLY='tests/store -k lock'.
WORKERS ?= 2
ONLY ?=
PYTEST = $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder --durations=12
test: setup
	@$(PYTEST) -m "not long" $(ONLY)

# At the desk: what needs no Java, Node.js, Go nor the image's tools.
test-quick: setup
	@HYPOTHESIS_PROFILE=quick $(PYTEST) -m "not long and not slow" $(ONLY)

# Promises that take minutes to prove: the soak, what replicas gain, the loss of brokers and of a hospital's
# server, what settling costs beside reading.
test-long: setup
	@$(BIN)/python -m pytest --durations=12 -m long $(ONLY)

# What tests need of Maven Central, npm and Go, while something else runs; without it they fetch it themselves.
fetch: setup
	@$(BIN)/python -m tests.fetch

# Lint, types, import contracts, data.
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/losus mappings check
	$(BIN)/losus agreements check

# What goes into the image: known vulnerabilities (SCAN=--strict: a place without advisories fails), and a
# bill of materials (CycloneDX).
scan: setup
	@$(BIN)/python -m tests.image.scan $(SCAN)

SBOM ?= .cache/sbom.json
sbom: setup
	@mkdir -p .cache
	@$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file $(SBOM)
	@echo "$(SBOM): $$(grep -c '"purl"' $(SBOM)) packages"

# The long proof by faults, on Apache Kafka: make soak MINUTES=20 SEED=1 BROKERS=3
MINUTES ?= 20
SEED ?= 1
BROKERS ?= 3
soak: setup
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --brokers $(BROKERS)

bench: setup
	@$(BIN)/python -m tests.bench

# Both lock files, with hashes and without addresses.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra sandbox --group dev --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file tests/requirements.lock

clean:
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
