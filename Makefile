# Everything a person runs by hand. `.ci/run` calls the same targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
CI_TEST_TIMEOUT ?= 60

.PHONY: up down install test test-pythons test-slow test-examples test-e2e check format explore-actors explore-cluster simulate-cluster simulate simulate-long mutants mutant lock schema oracle clean help

help: ## list the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

up: install ## start Podium in the background and run the demo on it
	@$(BIN)/podium up --detach --runtime process --demo examples/web.yaml

down: ## stop it
	@if [ -x $(BIN)/podium ]; then $(BIN)/podium down; else echo "nothing is installed here, so nothing runs"; fi

install: $(RUNTIME) ## a .venv in the checkout, the command at .venv/bin/podium

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Podium needs Python 3.11 or newer, found %s: try make PYTHON=python3.11" % sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m compileall -q actors orchestrator
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

test: $(DEV) ## the unit suite: under two minutes on two cores
	@$(BIN)/python -m pytest -q

test-slow: $(DEV) ## the tests marked slow
	@$(BIN)/python -m pytest -q -m "slow and not e2e and not prove"

test-examples: $(DEV) ## the examples as their readers run them: operators with kopf, kr8s, lightkube, kubernetes; embedding
	@$(BIN)/python -m pytest -q -m "" -p no:hypothesispytest -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning examples

test-e2e: $(DEV) ## real kubectl, helm and Docker where they are found
	@$(BIN)/python -m pytest -q -m "e2e"

check: $(DEV) ## format, lint, types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: $(DEV) ## rewrite in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench-%: $(DEV) ## run one benchmark; results in bench/results/
	@$(BIN)/python -m bench.$*

prove-%: $(DEV) ## the full count of one proof, kept in bench/results/proofs.md: actors, powercut, members, scheduler, chaos, placement
	@$(BIN)/python tools/prove.py $*

test-pythons: $(DEV) ## the actors' suite on every supported Python that is found
	@$(BIN)/python tools/test_pythons.py

explore-actors: $(DEV) ## ten thousand seeded schedules of the actor library on two cores
	@$(BIN)/python -m tests.actors.explore --seeds $(or $(SEEDS),10000) --jobs 2

simulate: $(DEV) ## groups of stores in virtual time: 10,000 seeds, as CI does
	@$(BIN)/python -m tests.store.explore --seeds 10000 --jobs 2

simulate-long: $(DEV) ## 400,000 groups and a hundred thousand lives of whole clusters, in as many sittings as it takes
	@$(BIN)/python -m tests.store.prove --seeds $(or $(SEEDS),400000)
	@$(BIN)/python -m tests.cluster.explore --seeds 100000 --jobs $$(nproc) --summary $(SWARM)

explore-cluster: $(DEV) ## seeded lives of whole clusters under faults, on two cores: SEEDS=600
	@$(BIN)/python -m tests.cluster.explore --seeds $(or $(SEEDS),600) --jobs 2

SWARM := bench/results/swarm.json

simulate-cluster: $(DEV) ## ten thousand of them; a run that was broken off goes on, bench/results/swarm.json says how far it came
	@$(BIN)/python -m tests.cluster.explore --seeds $(or $(SEEDS),10000) --jobs $(or $(JOBS),2) --summary $(SWARM)

mutants: $(DEV) ## each planted bug must be caught by its suite's explorer
	@$(BIN)/python -m tests.mutants

mutant: $(DEV) ## a reviewer's own bug: make mutant PATCH=file
	@$(BIN)/python -m tests.mutants --patch "$(PATCH)"

schema: $(DEV) ## generate the table of Kubernetes facts anew
	@$(BIN)/python tools/generate_schema.py

api-docs: $(DEV) ## docs/api/actors.md from signatures and docstrings
	@$(BIN)/python tools/api_docs.py

oracle: $(DEV) ## record what a real kube-apiserver answers: KUBE_APISERVER=path ETCD=path
	@$(BIN)/python -m tests.oracle.record --apiserver "$(KUBE_APISERVER)" --etcd "$(ETCD)"

lock: $(DEV) ## resolve the dependencies anew
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what the targets made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
