# Two commands matter: `make demo` shows the idea, `make test` passes the tests. Both set everything up by themselves.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= python3
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
TESTERS = $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 ))) # processes: the tests wait as often as they work
SYSTEM := PYTHON="$(PYTHON)" scripts/system_packages.sh
CODE   := $(wildcard agent broker cloud_worker firstline scripts tests training)

export PATH := $(PATH):/usr/sbin:/sbin # where Debian keeps mosquitto, and an ordinary user's PATH lacks it

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: arrows attacks bench bench-delta bench-mask check clean coverage crashes demo format fuzz help images lock netem oracle sizes soak \
  style test test-arm64 test-images test-machine test-systemd train types

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/run.stamp ## show the idea on real text and real sensor data
	@$(SYSTEM) mosquitto
	@$(BIN)/firstline demo

test: $(VENV)/dev.stamp ## pass the tests
	@$(SYSTEM) mosquitto
	@FIRSTLINE_LLAMA_SERVER=$$(scripts/llama_server.sh) && export FIRSTLINE_LLAMA_SERVER && \
	  $(BIN)/python scripts/run_tests.py $(TESTERS) $(PYTEST_ARGS)

check: style types arrows sizes ## style, types, arrows between modules, sizes (make -k: all, though one fails)

style: $(VENV)/dev.stamp
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check --quiet $(CODE)

types: $(VENV)/dev.stamp
	$(BIN)/mypy

arrows: $(VENV)/dev.stamp
	$(BIN)/lint-imports --no-logo

sizes: $(VENV)/dev.stamp
	$(BIN)/python scripts/module_sizes.py $(CODE)

format: $(VENV)/dev.stamp ## let ruff put the code into the house style
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

coverage: $(VENV)/dev.stamp ## the tests, with the share of lines and branches that they reach
	@$(SYSTEM) mosquitto
	$(BIN)/coverage erase
	FIRSTLINE_LLAMA_SERVER=$$(scripts/llama_server.sh) $(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(VENV)/run.stamp ## measure the round trip and the footprint
	@$(SYSTEM) mosquitto
	$(BIN)/firstline bench roundtrip
	$(BIN)/firstline bench footprint

soak: $(VENV)/run.stamp ## 100,000 questions in the midst of kills, cuts, overflows and wrong clocks (SEED=1)
	@$(SYSTEM) mosquitto
	$(BIN)/firstline bench chaos --requests 100000 --seed $(or $(SEED),1)

netem: $(VENV)/dev.stamp ## questions over a wire that loses, delays, reorders and breaks, between two network namespaces
	@$(SYSTEM) mosquitto
	$(BIN)/python -m tests.acceptance.bad_network

crashes: $(VENV)/dev.stamp ## end agent, worker and updater before each durable step, by SIGKILL and by power cut
	@$(SYSTEM) mosquitto
	@for victim in agent worker; do for how in crash power-cut; do folder=$$(mktemp -d -p /var/tmp) && \
	  $(BIN)/python -m tests.acceptance.crash_points $$victim $$how $$folder || exit 1; rm -r $$folder; done; done
	@folder=$$(mktemp -d -p /var/tmp) && $(BIN)/python -m tests.acceptance.update_kills $$folder 1 && rm -r $$folder

attacks: $(VENV)/dev.stamp ## attack a running device and worker, and print what happened (JSON=1; ATTACKS="part of a name")
	@$(SYSTEM) mosquitto
	@$(BIN)/python -m tests.attacks $(if $(JSON),--json) $(ATTACKS)

oracle: ## compare the bounds on error with MAPIE's, in .venv-oracle
	@$(SYSTEM) python
	$(PYTHON) -m venv $(VENV)-oracle
	$(VENV)-oracle/bin/python -m pip install --quiet --require-hashes -r locks/oracle.lock
	$(VENV)-oracle/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(VENV)-oracle/bin/python -m pytest tests/unit/core/test_oracle.py

fuzz: $(VENV)-fuzz/stamp ## feed every parser damage, guided by coverage (FUZZ_SECONDS=60 each; FUZZ="part of a name")
	@$(VENV)-fuzz/bin/python -m tests.fuzz --seconds $(or $(FUZZ_SECONDS),60) $(FUZZ)

$(VENV)-fuzz/stamp: locks/fuzz.lock
	@$(SYSTEM) python
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet --require-hashes -r $<
	$(VENV)-fuzz/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

bench-delta: $(VENV)/dev.stamp ## patches beside zstd's, bsdiff's and hdiffpatch's, on models trained further (needs make train, FIRSTLINE_DATA)
	@test -d build/deltas || OMP_NUM_THREADS=1 $(VENV)-train/bin/python -m training.deltas --out build/deltas
	@$(BIN)/python -m scripts.bench_delta build/deltas

bench-mask: $(VENV)/run.stamp $(VENV)-presidio/stamp ## masking beside Presidio; DATA=FILE.json, else of FIRSTLINE_DATA
	$(BIN)/python -m scripts.bench_mask $(DATA)

$(VENV)-presidio/stamp: locks/presidio.lock
	@$(SYSTEM) python
	$(PYTHON) -m venv $(VENV)-presidio
	$(VENV)-presidio/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

images: ## build the container images with buildah, and tell their sizes (BASE=another base image)
	@$(SYSTEM) images
	@scripts/images.sh

test-images: images ## the demo from the built images: broker, two workers, agent, each in a container
	@$(SYSTEM) containers
	@scripts/test_images.sh

test-arm64: $(VENV)-wheels/stamp ## unit tests and answers on emulated boards; what it makes stays in ~/.cache/firstline
	@$(SYSTEM) arm64
	@PYTHON=$(CURDIR)/$(VENV)-wheels/bin/python scripts/test_arm64.sh

test-systemd: $(VENV)-wheels/stamp ## both services under a real systemd; what it makes stays in ~/.cache/firstline
	@$(SYSTEM) systemd
	@PYTHON=$(CURDIR)/$(VENV)-wheels/bin/python scripts/test_systemd.sh namespaces

test-machine: $(VENV)-wheels/stamp ## the same in an emulated machine with a kernel of its own, where memory runs out too
	@$(SYSTEM) systemd machine
	@PYTHON=$(CURDIR)/$(VENV)-wheels/bin/python scripts/test_systemd.sh machine

$(VENV)-wheels/stamp: locks/wheels.lock
	@$(SYSTEM) python
	$(PYTHON) -m venv $(VENV)-wheels
	$(VENV)-wheels/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

train: ## an environment that can train the shipped models, in .venv-train
	@$(SYSTEM) python
	$(PYTHON) -m venv $(VENV)-train
	$(VENV)-train/bin/python -m pip install --quiet --no-deps --require-hashes -r locks/train.lock # which lacks torch
	$(VENV)-train/bin/python -m pip install --quiet torch==2.13.0
	$(VENV)-train/bin/python -m pip install --quiet --no-deps -e .

lock: ## pin every version and hash again (UPGRADE=1: to the newest that are a week old)
	@PYTHON="$(PYTHON)" UPGRADE=$(UPGRADE) scripts/lock.sh

clean: ## remove what was made here; fleets, keys and state stay
	rm -rf $(VENV) $(VENV)-lock $(VENV)-fuzz $(VENV)-oracle $(VENV)-presidio $(VENV)-train $(VENV)-wheels build dist .coverage .coverage.* htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp is older than its lock file when somebody changed the lock: then, and only then, install.

$(BIN)/python:
	@$(SYSTEM) python mosquitto
	@echo "firstline: making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/%.stamp: locks/%.lock pyproject.toml | $(BIN)/python
	@echo "firstline: installing $$(grep -c '^[a-z].*==' $<) Python packages from $<"
	@if grep -q '^llama-cpp-python==' $<; then $(SYSTEM) compiler && \
	  echo "firstline: pip compiles llama.cpp among them, about 5 minutes on two cores; it keeps the result"; fi
	@$(PIP) install --quiet --require-hashes -r $<
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
