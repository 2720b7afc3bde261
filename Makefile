# One word for everything a developer does. `make help` lists the words.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
DATA ?=
BENCHMARK_ARGS ?=
# Two processes: one for the tests that open windows, one for all others.
TEST_JOBS ?= 2

DEMO_ENV := .venv-demo
TEST_ENV := .venv-test
DOCS_ENV := .venv-docs
BENCHMARK_ENV := .venv-benchmark
SPEC := pyproject.toml
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check

# What a real napari window and an OpenCL device need, as Debian packages.
SYSTEM_PACKAGES := xvfb xauth libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
	libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxkbcommon-x11-0 \
	libegl1 libgl1 libgl1-mesa-dri libglib2.0-0 libdbus-1-3 libfontconfig1 fonts-dejavu-core \
	ocl-icd-libopencl1 pocl-opencl-icd

.PHONY: help demo test pytest lint benchmark docs screenshots samples clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_ENV)/.ready  ## train on real and synthetic images, write demo_output/ (no OpenCL, no root)
	@$(DEMO_ENV)/bin/spinney demo --out demo_output

test: $(TEST_ENV)/.system lint pytest  ## lint, then every test: CPU, OpenCL, real napari windows

lint: $(TEST_ENV)/.ready  ## ruff, mypy, import-linter
	@echo "== ruff, mypy, import-linter"
	@$(TEST_ENV)/bin/ruff check --quiet .
	@$(TEST_ENV)/bin/ruff format --quiet --check . || { echo "Run: ruff format ."; exit 1; }
	@$(TEST_ENV)/bin/mypy --no-error-summary
	@$(TEST_ENV)/bin/lint-imports --no-logo >$(TEST_ENV)/imports.log || { cat $(TEST_ENV)/imports.log; exit 1; }

pytest: $(TEST_ENV)/.ready $(TEST_ENV)/.system  ## the tests alone; PYTEST_ARGS="tests/test_cli.py -k demo"
	@echo "== pytest"
	@xvfb-run --auto-servernum --server-args="-screen 0 1366x768x24" \
		$(TEST_ENV)/bin/python -m pytest -q --numprocesses $(TEST_JOBS) --dist loadgroup $(PYTEST_ARGS)

benchmark: $(BENCHMARK_ENV)/.ready  ## speed and quality beside APOC, scikit-learn, vigra; DATA=folder of images
	@.ci/system-packages $(SYSTEM_PACKAGES) python3-vigra || echo "Rows that need them will say so."
	@$(BENCHMARK_ENV)/bin/python -m benchmarks $(if $(DATA),--data $(DATA)) $(BENCHMARK_ARGS)

docs: $(DOCS_ENV)/.ready  ## the documentation, in site/
	@$(DOCS_ENV)/bin/python scripts/make_docs_tables.py
	@NO_MKDOCS_2_WARNING=1 $(DOCS_ENV)/bin/mkdocs build --quiet --strict
	@echo "Written: site/index.html"

screenshots: $(TEST_ENV)/.ready $(TEST_ENV)/.system  ## pictures of the plugin for the documentation
	@xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" \
		$(TEST_ENV)/bin/python scripts/make_screenshots.py

samples: $(TEST_ENV)/.ready  ## make sample_data/ again
	@$(TEST_ENV)/bin/python scripts/make_samples.py sample_data

clean:  ## remove environments and everything made
	@rm -rf $(DEMO_ENV) $(TEST_ENV) $(DOCS_ENV) $(BENCHMARK_ENV) demo_output test_output site build dist
	@rm -rf .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

# Environments. Each is made once, and again when pyproject.toml changes.
$(DEMO_ENV)/.ready: $(SPEC)
	@echo "== making $(DEMO_ENV) (a minute or two, once)"
	@$(call make_env,$(DEMO_ENV))
	@$(DEMO_ENV)/bin/$(PIP_INSTALL) --editable .
	@touch $@

$(TEST_ENV)/.ready: $(SPEC)
	@echo "== making $(TEST_ENV) (a few minutes, once)"
	@$(call make_env,$(TEST_ENV))
	@$(TEST_ENV)/bin/$(PIP_INSTALL) --editable ".[all]" --group test --group lint
	@touch $@

$(DOCS_ENV)/.ready: $(SPEC)
	@echo "== making $(DOCS_ENV) (once)"
	@$(call make_env,$(DOCS_ENV))
	@$(DOCS_ENV)/bin/$(PIP_INSTALL) --editable . --group docs
	@touch $@

$(BENCHMARK_ENV)/.ready: $(SPEC)
	@echo "== making $(BENCHMARK_ENV) (once)"
	@$(call make_env,$(BENCHMARK_ENV))
	@$(BENCHMARK_ENV)/bin/$(PIP_INSTALL) --editable ".[all]" --group benchmark
	@touch $@

$(TEST_ENV)/.system: Makefile
	@.ci/system-packages $(SYSTEM_PACKAGES)
	@mkdir -p $(TEST_ENV) && touch $@

define make_env
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }; \
$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	{ echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }; \
$(PYTHON) -m venv $(1) && $(1)/bin/$(PIP_INSTALL) --upgrade "pip>=25.1"
endef
