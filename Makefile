# hotline12345: `make help` lists what there is.
# Words after ARGS= go on to the program: make run ARGS="--base-port 15000"; make live ARGS="-k transfer"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
PYTEST := $(VENV)/python -m pytest
ARGS ?=
# files of tests at once, each with a hotline of its own: they mostly wait for calls
AT_ONCE ?= 5
# minutes each: begun last, they would go on alone
LONG := tests/live/test_waiting.py tests/live/test_transfer_table.py tests/live/test_transfer_rescue.py
THOUSANDS := tests/live/test_truth.py tests/live/test_transfer_random.py tests/live/test_recordings_random.py
export CTI_NO_SKIP ?= 1
# the tests' recogniser is where set-up has put it
test story replay live outage bench prove: export CTI_MODELS ?= $(shell . setup/words.sh && models_folder)

.PHONY: help run setup test-setup test story replay live outage desk bench prove lint doctor lock clean

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what running needs (Python packages, Asterisk, the `cti` command)
	@setup/all.sh

run: setup ## bring up the hotline and the city around it; Ctrl-C stops
	@exec $(VENV)/cti up --lab $(ARGS)

test-setup:
	@setup/all.sh --tests

# the long files first: short ones fill what is left of the time;
# a fault of style does not hide what the tests say, and still fails the run; pytest's summary comes last
test: test-setup ## everything: lint, then story, replay, live and outage tests
	@lint=0; $(MAKE) lint || lint=$$?; \
	echo "==> tests"; tests=0; \
	$(PYTEST) tests/outage $(LONG) tests/live tests/replay tests/story -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder --durations=10 $(ARGS) || tests=$$?; \
	[ $$lint -eq 0 ] || { echo "lint failed (see above)" >&2; exit 1; }; \
	exit $$tests

story: test-setup ## the pure tests (seconds)
	@$(PYTEST) tests/story $(ARGS)

replay: test-setup ## recorded AMI tapes against reviewed stories
	@$(PYTEST) tests/replay $(ARGS)

live: test-setup ## calls on a real Asterisk
	@$(PYTEST) tests/live $(ARGS)

outage: test-setup ## the failure table, by doing it
	@$(PYTEST) tests/outage $(ARGS)

desk: ## browser tests: none yet
	@echo "There is no browser desk yet, so there is nothing to test (README.md says what is not there yet)." >&2; exit 3

bench: test-setup ## measurements against stated baselines
	@$(VENV)/python -m bench $(ARGS)

# the thousands of calls one after the other: side by side on two cores they measure the machine (load 24,
# and phones that have no processor to speak with)
prove: test-setup ## all tests and measurements in full size (two hours on two cores; with the voice, more)
	@export CTI_PROVE=1; faults=0; \
	echo "==> thousands of calls"; \
	$(PYTEST) $(THOUSANDS) --timeout=3600 $(ARGS) || [ $$? -eq 5 ] || faults=$$((faults + 1)); \
	echo "==> every other test"; \
	$(PYTEST) tests/outage $(LONG) tests/live tests/replay tests/story $(THOUSANDS:%=--ignore=%) -n $(AT_ONCE) \
		--dist loadfile --no-loadscope-reorder --timeout=3600 --durations=20 $(ARGS) || faults=$$((faults + 1)); \
	echo "==> measurements"; \
	$(VENV)/python -m bench || faults=$$((faults + 1)); \
	[ $$faults -eq 0 ] || { echo "prove: $$faults of 3 parts found faults (see above)" >&2; exit 1; }

# all of them, so that one run tells every fault
lint: test-setup ## style, types, doors between rooms, shell scripts
	@faults=0; \
	check() { echo "==> $$*"; "$$@" || faults=$$((faults + 1)); }; \
	check $(VENV)/ruff check --quiet .; \
	check $(VENV)/ruff format --check --quiet .; \
	check $(VENV)/mypy; \
	check $(VENV)/lint-imports --no-logo; \
	check shellcheck -x setup/*.sh .ci/run; \
	[ $$faults -eq 0 ] || { echo "lint: $$faults of 5 checks found faults" >&2; exit 1; }

doctor: ## is everything there and ready? says what to do when not
	@$(VENV)/cti doctor $(ARGS)

lock: ## compile requirements/*.txt anew (needs uv)
	@setup/lock.sh $(ARGS)

clean: ## remove caches; keeps .venv, Asterisk and every home
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
