# Two commands do everything: `make demo` and `make test`. Both make their own environment first.
# `make page` rebuilds the page in src/locutor/server/page, `make e2e` drives it in Chromium; only these need Node.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NATIVE := $(shell find native CMakeLists.txt -type f)
RUN_ENV := OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
VIDEO ?=
AUDIO ?=
OUT ?= $(if $(VIDEO),demo-$(basename $(notdir $(VIDEO))),demo)

.PHONY: demo test lint bench quality page e2e sanitize torture check-machine clean

demo: $(STAMP)
	$(RUN_ENV) $(BIN)/locutor demo --out "$(OUT)" $(if $(VIDEO),--video "$(VIDEO)") $(if $(AUDIO),--audio "$(AUDIO)")

test: $(STAMP) lint
	$(RUN_ENV) $(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(RUN_ENV) $(BIN)/python -m benchmarks.run --json bench.json

quality: $(STAMP)
	$(RUN_ENV) $(BIN)/python -m benchmarks.quality

page: web/node_modules
	cd web && npm test && npm run build

e2e: $(STAMP) web/node_modules
	$(RUN_ENV) $(BIN)/python -m pytest -m e2e tests/e2e

web/node_modules: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

sanitize: $(STAMP)
	$(BIN)/python tools/sanitize.py address
	$(BIN)/python tools/sanitize.py thread

torture: $(STAMP)
	$(RUN_ENV) $(BIN)/python -m tools.torture

$(STAMP): pyproject.toml constraints.txt $(NATIVE) | check-machine
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt scikit-build-core nanobind cmake ninja
	$(BIN)/pip install --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[capture,tts,live,webrtc,dev]'
	touch $@

$(VENV)/.bench: $(STAMP)
	$(BIN)/pip install --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[bench]'
	touch $@

check-machine:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "locutor needs Python 3.11 or newer: apt install python3, or make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt install python3-venv"; exit 1; }
	@command -v $(or $(CXX),c++) >/dev/null || command -v g++ >/dev/null \
	  || { echo "a C++17 compiler is missing: apt install g++"; exit 1; }
	@$(PYTHON) -c 'import sysconfig, pathlib, sys; sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").is_file())' \
	  || { echo "Python's headers are missing: apt install python3-dev"; exit 1; }

clean:
	rm -rf $(VENV) build src/locutor/_native*.so .cmake .ninja_deps .ninja_log .skbuild-info.json CMakeCache.txt CMakeFiles CMakeInit.txt build.ninja cmake_install.cmake libnanobind-static.a
