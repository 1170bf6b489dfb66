# The two commands of the README: `make demo` and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-all lint setup debian lock schema deployments benchmarks clean

demo: setup
	$(BIN)/perennial train configs/flights.yaml
	$(BIN)/perennial replay configs/flights.yaml --to 2013-05-31
	@if [ -t 1 ]; then $(BIN)/perennial up configs/flights.yaml; \
	else echo "Prefect UI, pages and service: $(BIN)/perennial up configs/flights.yaml"; fi

test: setup debian lint
	$(BIN)/pytest -rs -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: setup debian lint
	$(BIN)/pytest -rs -n 2 --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

setup: .venv/ready

# The lock holds hashes and no addresses. uv (itself from the lock) installs it in seconds; where it
# does not find the registry that pip is set up for, pip does the same in minutes.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/^    #/p' requirements.lock > .venv/uv.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || \
	  $(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch .venv/ready

# PostgreSQL, chromium and docker-compose for the tests, where this may install them.
debian:
	@.ci/debian

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra demo --extra cluster --extra dev --quiet pyproject.toml --output-file requirements.lock

schema: setup
	$(BIN)/python -m charter

deployments: setup
	$(BIN)/python -m flows.deployments

clean:
	rm -rf .venv build *.egg-info
