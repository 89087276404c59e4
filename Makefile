# What this checkout needs is set up by its own targets; all of it lies in .hardpan (ignored).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Shims of version managers in PATH cost more than our programs.
PYTHON ?= $(or $(wildcard /usr/bin/python3),python3)
export PYTHONPYCACHEPREFIX := $(CURDIR)/.hardpan/pycache

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {gsub(/[$$][$$]/, "$$"); printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: python
python:
	@command -v $(PYTHON) >/dev/null || { echo 'hardpan: Python 3 is needed: apt-get install python3' >&2; exit 1; }

.PHONY: tools
tools: python ## Install what is missing: BuildKit, buildx, registry, Rust target
	@$(PYTHON) tests/tools/install.py

.PHONY: up
up: tools ## Start the private registry, buildkitd and the buildx builder
	@$(PYTHON) tests/env/up.py

.PHONY: bases
bases: up ## Build the stand-ins for dhi.io images and publish them to the private registry
	@$(PYTHON) tests/bases/build.py

.PHONY: frontend
frontend: up ## Build hardpan and publish its image to the private registry
	@$(PYTHON) tests/env/frontend.py

.PHONY: setup
setup: up bases frontend

.PHONY: demo
demo: setup ## Build, start and prove the example; the first command to try (your own Docker, if any)
	@DOCKER='$(DOCKER)' BASES='$(BASES)' ARGS='$(ARGS)' $(PYTHON) tests/env/demo.py

.PHONY: check
check: ## What needs no BuildKit: format, lints, unit and golden tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --lib
	cargo test --locked --test golden --test architecture
	cargo test --locked --test docs -- --skip with_a_builder

.PHONY: builders
builders: tools ## Install the other builders of the matrix: older BuildKits, Docker Engine
	@$(PYTHON) tests/tools/builders.py

.PHONY: matrix
matrix: setup builders ## Build the same on every builder, and print a table (BUILDERS="NAME …")
	@eval "$$($(PYTHON) tests/env/print_env.py)"; \
	 export HARDPAN_MATRIX="$(or $(BUILDERS),$$($(PYTHON) tests/env/builder.py list))"; \
	 cargo test --locked --test matrix

.PHONY: peers
peers: setup ## Compare with hadolint, checkov and Docker's policies; sign and verify the evidence
	@$(PYTHON) tests/tools/peers.py
	@eval "$$($(PYTHON) tests/env/print_env.py)"; \
	 export HARDPAN_PEERS='$(CURDIR)/.hardpan/peers'; \
	 cargo test --locked --test peers

.PHONY: test
test: setup ## Set up, and run every test; of the matrix, the floor and what is below it
	@$(PYTHON) tests/env/room.py
	@$(PYTHON) tests/tools/builders.py tested
	@$(PYTHON) tests/bases/compare.py
	@eval "$$($(PYTHON) tests/env/print_env.py)"; cargo test --locked

.PHONY: bench
bench: setup ## Measure against docker/dockerfile, an empty frontend and find
	@eval "$$($(PYTHON) tests/env/print_env.py)"; $(PYTHON) benches/bench.py
	@$(PYTHON) benches/inspect.py

.PHONY: test-bases
test-bases: bases ## Compare the published stand-ins with the catalogue
	@$(PYTHON) tests/bases/compare.py

.PHONY: env
env: python ## Print lines for eval: eval "$$(make -s env)"
	@$(PYTHON) tests/env/print_env.py

.PHONY: stop
stop: python ## End all that was started here
	@$(PYTHON) tests/env/stop.py

.PHONY: clean
clean: stop ## End all, and remove .hardpan
	@rm -rf .hardpan
