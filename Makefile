# Two commands on a machine with Python >= 3.11 and nothing else: `make demo` and `make test`.
# Each makes its own environment in .venv; stamp files let a second run skip what is already there.

# The interpreter that makes .venv; without one named, the first of the supported versions that starts.
PYTHON ?=
WORKERS ?= 2
CASE ?= configs/campus/abilene_building.yaml
OUT ?= out/demo

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers

.PHONY: help demo test soak fuzz sanitize lint validate bench peers bench-kernels bench-gpu docs clean

help:
	@echo 'make demo      install into .venv, run $(CASE), say where the report is'
	@echo 'make test      install into .venv, run every test and every lint check'
	@echo 'make fuzz ARGS="--cases 10000 --seed 1"   read mutated files: each is accepted, or refused in a sentence'
	@echo 'make soak      run the tests that take minutes each, which make test leaves out'
	@echo 'make sanitize  build the native kernels with sanitizers and run their tests'
	@echo 'make lint      ruff format, ruff check, mypy'
	@echo 'make validate  hold the package against its reference data'
	@echo 'make bench     time the main jobs'
	@echo 'make peers     install the solvers we compare with into $(PEERS), an environment of their own'
	@echo 'make bench-kernels ARGS="--quick"   time the network solvers, beside those of make peers where they are'
	@echo 'make bench-gpu the same cases on the first GPU, with this machine'"'"'s own python3'
	@echo 'make docs      build the documentation into out/docs'
	@echo 'make clean     remove .venv, $(PEERS), caches and out/'

$(BIN)/python $(PEERS)/bin/python: %/bin/python:
	@for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "making $* with $$($$python --version)"; \
	  $$python -m venv $* && exit 0; \
	  rm -rf $*; \
	  echo "$$python could not make $*: on Debian and Ubuntu install the package python3-venv" >&2; exit 1; \
	done; \
	echo 'no Python 3.11 or newer found: install one, or say make PYTHON=/path/to/python3' >&2; exit 1

# pyproject.toml decides what is installed and the C++ sources what is built, so a change of them installs again.
INSTALLED_FROM := pyproject.toml kernels/CMakeLists.txt $(wildcard kernels/native/*)
SAY_KERNELS = @$(BIN)/python -c 'from voltherm_kernels import native; \
  print("CPU kernels:", native.why_not() or "native, " + native.instructions())'

$(VENV)/.installed: $(INSTALLED_FROM) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[formats,report]'
	$(SAY_KERNELS)
	@touch $@

$(VENV)/.installed-test: $(INSTALLED_FROM) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[formats,report,test]'
	$(SAY_KERNELS)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(INSTALLED_FROM) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[report,docs]'
	@touch $@

# One resolution for all peers; where that fails, each alone, and the benchmark says which are missing.
$(PEERS)/.installed: $(INSTALLED_FROM) benchmarks/peers.txt | $(PEERS)/bin/python
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt || \
	  sed 's/ *#.*//' benchmarks/peers.txt | while read -r peer; do \
	    [ -z "$$peer" ] || $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" </dev/null || \
	      echo "not installed: $$peer" >&2; \
	  done
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/voltherm run $(CASE) --out $(OUT)
	@echo 'report: $(abspath $(OUT))/report.html'

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -q

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz $(ARGS)

soak: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -q -m soak

# The sanitizers have to be loaded before Python is.
SANITIZED = env LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
  VOLTHERM_NATIVE_LIBRARY=$(abspath build/sanitize)/libvoltherm_kernels.so

sanitize: $(VENV)/.installed-test
	cmake -S kernels -B build/sanitize -DVOLTHERM_SANITIZE=ON -DPython_EXECUTABLE=$(abspath $(BIN)/python)
	cmake --build build/sanitize --parallel 2
	$(SANITIZED) $(BIN)/python -m pytest -q -k 'native or mathematics' tests/kernels
	$(SANITIZED) $(BIN)/python -m pytest -q -k 'not pallas' tests/power/test_native_flow.py tests/power/test_native_safety.py \
	  tests/power/test_root.py tests/coolant/test_network_root.py tests/kernels/test_determinant.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

validate: $(VENV)/.installed
	$(BIN)/voltherm validate

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

peers: $(PEERS)/.installed

# Beside the peers where make peers has been called, else alone.
COMPARED := $(if $(wildcard $(PEERS)/.installed),$(PEERS),$(VENV))

bench-kernels: $(COMPARED)/.installed
ifneq ($(COMPARED),$(PEERS))
	@echo 'without peers: make peers installs them'
endif
	$(COMPARED)/bin/python -m benchmarks.kernels $(ARGS)

# From the source tree with the first Python that has jax, so that a machine with a GPU needs nothing installed.
bench-gpu:
	@for python in $(PYTHON) python3 $(BIN)/python $(PEERS)/bin/python; do \
	  $$python -c 'import equinox, jax, jaxtyping' 2>/dev/null || continue; \
	  exec env PYTHONPATH=src:kernels $$python -m benchmarks.kernels.gpu $(ARGS); \
	done; \
	echo 'no Python with jax and equinox found: say make bench-gpu PYTHON=/path/to/python3' >&2; exit 1

docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict --site-dir out/docs

clean:
	rm -rf $(VENV) $(PEERS) out build dist .cache .pytest_cache .mypy_cache .ruff_cache
