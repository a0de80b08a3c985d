PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install run test soak lint

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

run: install
	$(BIN)/arvot run

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two processes with a thread each: most tests wait for processes or compute little.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not soak" --numprocesses 2 --dist loadscope \
		--durations 30 --durations-min 5

soak: install
	$(BIN)/python -m pytest
