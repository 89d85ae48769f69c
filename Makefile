# The way in for a newcomer: `make demo` and `make test`. Everything goes into .venv and .cache.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo sandbox test check scan sbom bench soak lock clean

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

# Two halves at a time, each with servers of its own: most of the time is waiting. What is in neither list
# is in the second half, whose words come after those of the first. `sandbox` is in front: what a shell puts
# behind does not hear SIGINT.
FIRST := $(addprefix tests/,access client conformance consumers doors hapi inbound sandbox settling soak specification)
test: setup
	@mkdir -p .cache
	@$(BIN)/python -m pytest --durations=12 $(addprefix --ignore=,$(FIRST)) >.cache/second-half.log 2>&1 & second=$$!; \
	$(BIN)/python -m pytest --durations=12 $(FIRST); one=$$?; \
	wait $$second; two=$$?; cat .cache/second-half.log; test $$one -eq 0 && test $$two -eq 0

# What .ci/run does after the tests.
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
