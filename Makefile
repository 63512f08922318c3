# `make demo` and `make test` are all a newcomer needs. Everything lives in .venv; delete it to begin again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEALDESK := $(BIN)/python -m bot

.DEFAULT_GOAL := help
.PHONY: help demo demo-tour demo-fresh serve test check format fresh setup setup-dev lock bench browser-hint clean

help:  ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime  ## set up, play the tour, serve the playground until Ctrl-C
	@$(DEALDESK) demo

demo-tour: $(VENV)/.runtime  ## play the tour and stop
	@$(DEALDESK) demo --tour-only

demo-fresh: $(VENV)/.runtime  ## throw away what was done in the demo and begin again
	@$(DEALDESK) demo --fresh

serve: $(VENV)/.runtime  ## serve your own company (see `dealdesk init`)
	@$(DEALDESK) serve

test: $(VENV)/.dev browser-hint  ## set up and pass the tests
	@$(BIN)/python -m pytest -n auto

check: $(VENV)/.dev  ## what guards main besides the tests: format, lint, strict types, arrows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev  ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## measure against floors and peers (see benchmarks/README.md)
	@$(BIN)/python -m benchmarks

setup: $(VENV)/.runtime  ## only set up what the product needs

setup-dev: $(VENV)/.dev  ## only set up what the tests need

lock: $(VENV)/.dev  ## write the lock files anew from pyproject.toml
	@$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-header --no-annotate -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml --group dev -c requirements.lock --universal --generate-hashes --no-header --no-annotate -o requirements-dev.lock

fresh: clean  ## forget the environment and set up again
	@$(MAKE) --no-print-directory setup-dev

clean:  ## delete the environment and what the tools leave behind
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

browser-hint:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  echo "NOTE: no Chromium here, so the browser tests are skipped. To run them: apt-get install chromium"

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Dealdesk needs Python 3.11 or newer; \`$(PYTHON)\` is `$(PYTHON) --version`. Try: make PYTHON=python3.12"; exit 2; }
	@echo "Making the environment in $(VENV)"
	@# A venv without pip of its own is made in a moment; the pip that is there already puts uv into it.
	@{ $(PYTHON) -m venv --without-pip $(VENV) && \
	   $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check uv 2>/dev/null ; } || \
	 { rm -rf $(VENV); $(PYTHON) -m venv $(VENV) && \
	   { $(BIN)/python -m pip install --quiet --disable-pip-version-check uv || ln -sf /bin/false $@; } ; } || \
	 { echo "Python cannot make environments here. On Debian: apt-get install python3-venv"; exit 2; }

# uv is several times as quick as pip; where it cannot reach an index that pip is set up for, pip does it.
define install
	@echo "Installing $(1)"
	@{ $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $(1) && \
	   $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . ; } 2>/dev/null || \
	 { { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null ; } && \
	   $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) && \
	   $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; }
	@$(BIN)/python -m compileall -q bot core storage
endef

$(VENV)/.runtime: requirements.lock $(VENV)/bin/uv
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/bin/uv
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.runtime
