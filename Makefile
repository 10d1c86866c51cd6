# Every verb installs what it needs into .venv first.

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: run test check bench train calibrate circumstances test-whoosh docs screenshot audit clean

## run: build the index of seeds/, serve it on http://127.0.0.1:8080 and follow what changes
run: .venv/installed
	@$(BIN)/winnow build
	@$(BIN)/winnow serve --watch

## test: check, then every test
test: check
	$(BIN)/pytest

## check: lint, formatting, types, layers
check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## audit: known vulnerabilities of all that is installed; asks PyPI, so it is no part of check
audit: .venv/installed-audit
	$(BIN)/pip-audit --strict --skip-editable

## bench: long measurements; their results are kept in benchmarks/results/
bench: .venv/installed-dev
	$(BIN)/python benchmarks/relevance.py
	$(BIN)/python benchmarks/fusion.py
	$(BIN)/python benchmarks/cost.py
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/reranking.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/fuzzing.py
	$(BIN)/python benchmarks/abstaining.py
	$(BIN)/python benchmarks/speakers.py
	$(BIN)/python benchmarks/typos.py
	$(BIN)/python benchmarks/rebuilds.py
	$(BIN)/python benchmarks/rebuilds.py --model

# Without these, glibc gives every tensor's memory back and asks for it anew, and on some machines
# more time goes into that than into training.
train: export MALLOC_MMAP_THRESHOLD_ = 1073741824
train: export MALLOC_TRIM_THRESHOLD_ = 4294967296
train: export OMP_WAIT_POLICY = active

## train: train the reader anew, from ../shared/data; takes hours, goes on where it was stopped
train: .venv/installed-training
	$(BIN)/python -m training

## calibrate: fit the confidence of answers to questions that the reader was not trained on
calibrate: .venv/installed-dev
	PYTHONPATH=. $(BIN)/python benchmarks/calibration.py

## circumstances: weigh anew by what a report of somebody's words is told; takes some minutes
circumstances: .venv/installed-dev
	PYTHONPATH=. $(BIN)/python benchmarks/circumstances.py

## test-whoosh: the keyword index on Whoosh 2.7.4, so that the pinned fork stays a choice
test-whoosh: .venv/installed-dev
	$(BIN)/pip install --quiet --no-deps --upgrade --target .venv/whoosh-2.7.4 Whoosh==2.7.4
	$(BIN)/python -W ignore -m compileall -q .venv/whoosh-2.7.4
	PYTHONPATH=.venv/whoosh-2.7.4 $(BIN)/pytest tests/test_keyword.py tests/test_analysis.py tests/test_build.py

## docs: write the tables of docs/ that the code knows best
docs: .venv/installed
	$(BIN)/python docs/tables.py

## screenshot: take the pictures of the page in docs/ anew
screenshot: .venv/installed-dev
	$(BIN)/python docs/screenshot.py

## clean: remove the environment, the caches and the index, but not your saved questions, what was fitted to them and the API keys
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find index_data -mindepth 1 ! -name README.md ! -path index_data/questions.jsonl \
		! -path index_data/tuning.json ! -path index_data/keys.jsonl -delete

# torch comes first and by itself: asked for as a dependency, pip may choose a CUDA build.
.venv/installed: pyproject.toml
	@echo "Creating .venv ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Winnow needs Python 3.11 or newer")'
	@$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing PyTorch, the largest part: about 200 MB ..."
	@$(BIN)/pip install --quiet "$$(sed -n 's/^ *"\(torch==[^"]*\)".*/\1/p' pyproject.toml)"
	@echo "Installing Winnow, its embedding model and its other libraries ..."
	@$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/installed-training: .venv/installed
	@echo "Installing what training needs ..."
	@$(BIN)/pip install --quiet --editable '.[training]'
	@touch $@

.venv/installed-audit: .venv/installed
	@$(BIN)/pip install --quiet --editable '.[audit]'
	@touch $@

.venv/installed-dev: .venv/installed
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@
