# Two commands set up everything on a fresh machine: `make run` and `make test`.
.DEFAULT_GOAL := help
CHECKS := check-knowledge check-types check-imports check-format check-lint
.PHONY: help run test quick check format lock measure soak bench bench-channels peers clean browser $(CHECKS)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/run.stamp  ## Install, migrate, load the starter entries and serve on http://127.0.0.1:8000
	@exec $(BIN)/sportello serve --setup

# A browser that hangs would hang the whole run: then tell where, and end. No test takes half as long. To watch over each
# of the thousands of other tests would cost more than the shortest of them.
HANGING := -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

test: $(VENV)/dev.stamp browser  ## Everything: format, lint, types, contracts, all tests (Chromium included; not soak, measure)
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -m "not browser and not measured and not large" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m browser $(HANGING)

# Compiled modules are kept, also where the environment says otherwise: a dozen processes would compile the same ones.
quick: export PYTHONDONTWRITEBYTECODE =
quick: $(VENV)/dev.stamp  ## Everything but browser and crash test, with fewer examples of odd texts
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -m "not browser and not crash and not measured and not large" --hypothesis-profile quick -n 2 --dist loadfile

# Two at a time; where make can do it, what each says stays together.
check: $(VENV)/dev.stamp  ## Format, lint, types, import contracts, knowledge files
	$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(CHECKS)

# Entries are checked as on the day they were written: reviews that fall due are for whoever runs the service.
check-knowledge:
	$(BIN)/sportello knowledge check --today 2026-11-23

check-types:
	$(BIN)/mypy

check-imports:
	$(BIN)/lint-imports

check-format:
	$(BIN)/ruff format --check .

check-lint:
	$(BIN)/ruff check .

format: $(VENV)/dev.stamp  ## Put the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser:
	@scripts/install-browser

measure: $(VENV)/dev.stamp  ## Understanding with the model, and ten thousand entries: minutes, and 3 GB
	$(BIN)/python -m pytest -s -m "measured or large"

soak: $(VENV)/dev.stamp  ## The crash test for ten minutes, with a new seed
	$(BIN)/python -m tests.crash.soak

bench: $(VENV)/dev.stamp  ## The load generator against a fake Bot API on loopback
	$(BIN)/python -m bench.conversations

peers: $(VENV)/dev.stamp  ## Adapters and fakes tried by programs that we did not write (needs node)
	@tests/peers/run $(BIN)/python

bench-channels: $(VENV)/dev.stamp  ## The load over all channels at once, while three platforms misbehave
	$(BIN)/python -m bench.channels

lock: $(VENV)/dev.stamp  ## Write the lock files anew from pyproject.toml
	scripts/lock

clean:  ## Remove the virtual environment and the caches (never var/)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(VENV)/bin/python:
	@scripts/install-venv $(PYTHON) $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python requirements/run.txt requirements/build.txt pyproject.toml
	@echo "Installing Sportello's libraries (about 350 MB, once) ..."
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing the tools for the tests ..."
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
