# Everything a person does here, by name. CI calls the same targets.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE := 1
export ANONYMIZED_TELEMETRY := False
# Python keeps what it compiled, whatever the shell says: without it every start takes a second longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install browser demo test check lint types imports gate bench eval

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 18

install: $(VENV)/installed ## set up .venv from the pinned lock

# --no-deps: the lock is complete, so nothing is resolved and nothing unpinned slips in. --no-compile saves 0.5 GB and half a minute.
$(VENV)/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

browser: ## Debian's Chromium, for the tests that use the desk as people do; without it they are skipped
	@if command -v chromium >/dev/null; then chromium --version; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -q && apt-get install -qy --no-install-recommends chromium; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then sudo apt-get update -q && sudo apt-get install -qy --no-install-recommends chromium; \
	else echo "There is no chromium here and no right to install it: sudo apt-get install chromium. Tests of the desk are skipped until then."; fi

demo: install ## load the demo company and serve it on 127.0.0.1:8000
	$(BIN)/copilot demo

test: install ## the whole suite, file by file on two processes
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: lint types imports test gate ## all that CI asks

lint: install ## ruff: format and rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install ## mypy --strict
	$(BIN)/mypy

imports: install ## the direction of imports
	$(BIN)/lint-imports

gate: install ## answer quality on the demo company, held against what is recorded
	COPILOT_HOME=$(VENV)/home $(BIN)/copilot eval run demo --out $(VENV)/home/demo
	$(BIN)/copilot eval gate $(VENV)/home/demo

bench: install ## speeds, as ratios within one run
	$(BIN)/python -m benchmarks.speed

eval: install ## every suite, on data found at COPILOT_EVAL_DATA
	@test -n "$(COPILOT_EVAL_DATA)" || { echo "Set COPILOT_EVAL_DATA to the folder that holds thunderbird/."; exit 1; }
	for suite in demo thunderbird retrieval-dev; do $(BIN)/copilot eval run $$suite || exit 1; done
