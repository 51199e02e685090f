# `make` alone lists what there is.  Everything is set up on the way; nothing is assumed but Debian
# (or Ubuntu), python3, make and root.

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
NODE := tests/adapters/node
NODE_READY := $(NODE)/node_modules/.ready

# These have the machine to themselves; all others share nothing, and go on beside each other.
ALONE := tests/contract tests/e2e

.DEFAULT_GOAL := help
.PHONY: help demo run test check format bench break soak lock sbom images clean

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(READY)  ## Two phones call each other through a virtual number, on real SIP
	@$(PYTHON) -m bridge.embedded demo

run: $(READY)  ## The whole stack on this machine until Ctrl-C; data in .run/
	@$(PYTHON) -m bridge.embedded run

test: $(READY) $(NODE_READY) check  ## Every test, the end-to-end ones on real Asterisk and Postgres included
	@$(PYTHON) -m bridge.embedded install
ifdef ARGS
	@$(PYTHON) -m pytest $(ARGS)
else
	@rc=0; \
	$(PYTHON) -m pytest --numprocesses auto --dist worksteal $(ALONE:%=--ignore=%) || rc=$$?; \
	$(PYTHON) -m pytest $(ALONE) || rc=$$?; \
	exit $$rc
endif

check: $(READY)  ## Format, lint, types, layers
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m mypy
	@$(PYTHON) -c 'from importlinter.cli import lint_imports_command as run; run(["--no-logo"])'

format: $(READY)  ## Format the code, mend what the linter can
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

bench: $(READY)  ## Measure: calls per second, time added to a call, CPU and memory
	@$(PYTHON) -m bridge.embedded install
	@$(PYTHON) -m tests.benchmarks

break: $(READY)  ## Take out each protection and its twin, to see the leak scan fail
	@$(PYTHON) -m bridge.embedded install
	@$(PYTHON) -m tests.e2e.breaking

soak: $(READY)  ## The long forms of what `make test` tries a little of (a quarter of an hour)
	@$(PYTHON) -m bridge.embedded install
	@MASKING_SOAK=1 $(PYTHON) -m pytest --verbose tests/e2e/test_fuzz.py tests/e2e/test_silence.py $(ARGS)

lock: $(READY)  ## Lock the newest dependencies that pyproject.toml allows
	@$(PYTHON) -m uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade pyproject.toml -o requirements.lock
	@$(PYTHON) -m uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade pyproject.toml --extra embedded --group dev -o requirements-dev.lock
	@$(PYTHON) -m uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade --group build --constraints requirements-dev.lock -o requirements-build.lock

sbom: $(READY)  ## What is shipped, as a bill of materials (CycloneDX), in dist/
	@$(PYTHON) -m tests.sbom

# By digest, what is built tomorrow is what was tried today; a tag is whatever its owner says then.
images:  ## The newest base images of Docker Compose, by digest, into .env
	@test -f .env || { echo "there is no .env: cp .env.example .env" >&2; exit 1; }
	@for image in POSTGRES_IMAGE=postgres:17 PYTHON_IMAGE=python:3.13-slim DEBIAN_IMAGE=debian:forky-slim; do \
		name=$${image%%=*} tag=$${image#*=}; \
		docker pull --quiet "$$tag" >/dev/null || exit 1; \
		digest=$$(docker image inspect --format '{{index .RepoDigests 0}}' "$$tag") || exit 1; \
		case $$digest in *@sha256:*) ;; *) echo "$$tag has no digest: it is of no registry" >&2; exit 1 ;; esac; \
		sed -i "/^$$name=/d" .env && echo "$$name=$$digest" >>.env || exit 1; \
		echo "$$tag is $$digest"; \
	done

clean:  ## Remove what was set up here, the data of `make run` included
	rm -rf $(VENV) $(NODE)/node_modules .run dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment with exactly the locked packages.  What builds those that are source only is
# locked too and comes first: a build in isolation would get the newest of it, unchecked.  Debian's python3 comes without venv.
$(READY): requirements-build.lock requirements-dev.lock pyproject.toml
	@echo "Getting the Python packages (once; about a minute) ..."
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
		apt-get update -q >/dev/null && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv ca-certificates >/dev/null; } || \
		{ echo "python3-venv is missing and could not be installed: run as root, or install it" >&2; exit 1; }
	@rm -rf $(VENV)
	@python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --use-pep517 --no-build-isolation --require-hashes -r requirements-dev.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Plivo's SDK for Node, which the tests of the API run unmodified; Node itself is in $(VENV).
$(NODE_READY): $(NODE)/package-lock.json | $(READY)
	@echo "Getting Plivo's Node SDK (once) ..."
	@$(VENV)/bin/npm ci --prefix $(NODE) --loglevel=error >/dev/null
	@touch $(NODE_READY)
