# Showcase from a fresh checkout: `make demo` to see it, `make test` before a change is handed in.
# `make PYTHON=python3.13 ...` uses another Python; `make test ARGS="-k channel"` hands options to pytest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev

.DELETE_ON_ERROR:
.PHONY: demo test check format messages soak bench clean

demo: $(RUN)
	$(BIN)/showcase demo

test: check
	$(BIN)/pytest $(ARGS)

check: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The sentences of the sources into the catalogues; then translate what is empty in showcase/locale/*/LC_MESSAGES.
messages: $(DEV)
	$(BIN)/pybabel -q extract -F pyproject.toml -k N_ --no-location --sort-output --omit-header -o .messages.pot .
	$(BIN)/pybabel -q update -i .messages.pot -d showcase/locale -D showcase --no-fuzzy-matching --no-wrap --ignore-pot-creation-date
	rm .messages.pot

soak: $(DEV)
	$(BIN)/python -m bench.soak $(ARGS)

bench: $(DEV)
	$(BIN)/python -m bench $(ARGS)

# Keeps media/: that is somebody's work.
clean:
	rm -rf $(VENV) node_modules static/vendor build dist *.egg-info .coverage .*_cache .hypothesis .schemathesis
	find showcase tests bench -name __pycache__ -prune -exec rm -rf {} +

# What running needs, and what the checks and tests need on top. Again only when what is asked for changes.
$(RUN): export SHOWCASE_NPM_OMIT_DEV := 1
$(DEV): EXTRAS := [dev]
$(RUN) $(DEV): pyproject.toml package-lock.json build_hook.py | $(BIN)/pip
	@echo "Installing what Showcase needs into $(VENV): half a minute to a few, by your line …"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	$(BIN)/python -m compileall -q showcase
	touch $@

$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Showcase needs Python 3.11 or newer: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Showcase needs Python 3.11 or newer; name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make a virtual environment: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
