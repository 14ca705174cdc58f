# Two commands on a fresh machine: `make run` and `make test`. All they need is Python 3.11 or newer, make and a network.
PYTHON ?= python3
BIN := .venv/bin
APPS := config forecasting orders promotions channels inventory audit
CATALOGS := $(wildcard locale/*/LC_MESSAGES/django.po)
ONCE ?=
PORT ?= 8000
QUEUES ?= intake,outbox,push,stock,forecast,reports
CONCURRENCY ?= 2
NICE ?= 10
export PORT YES
ifdef SIZE
export SIZE
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test nightly check bench web worker beat demo-reset messages

help: ## show this list
	@echo "make run          the whole hub with a demo company on http://127.0.0.1:8000 (PORT=, HUB_HOST=,"
	@echo "                  SIZE=small|default|large, ONCE=1: print the figures and end)"
	@echo "make test         the tests (TEST=tests/orders for a part, ARGS= for pytest)"
	@echo "make nightly      the long tests: ten times as many sequences of verbs, new ones each time"
	@echo "make check        style, import order of the apps, types, migrations, Django's own checks"
	@echo "make bench        measurements (SUITE=name for one)"
	@echo "make web          only the web server; database and broker from DATABASE_URL and REDIS_URL, or embedded"
	@echo "make worker       only a worker (QUEUES=intake,outbox CONCURRENCY=4 NICE=10)"
	@echo "make beat         only the schedule"
	@echo "make messages     compile the translations"
	@echo "make demo-reset   stop the hub and delete its local data (YES=1 does not ask)"

# -- the virtual environment ----------------------------------------------------------------------
# Debian's Python may come without ensurepip: then the pip of the system installs into the environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "The hub needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip .venv

.venv/run.stamp: requirements.txt constraints.txt | $(BIN)/python
	@$(call install,requirements.txt)
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements.txt constraints.txt | $(BIN)/python
	@$(call install,requirements-dev.txt)
	@touch .venv/run.stamp $@

define install
echo "Installing $(1), about a minute the first time …" >&2; \
if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
$$pip install --quiet --disable-pip-version-check --only-binary :all: -r $(1)
endef

# -- what people do -------------------------------------------------------------------------------
run: .venv/run.stamp messages
	@exec $(BIN)/python -m config.run $(if $(filter 1 yes true,$(ONCE)),--once)

test: .venv/dev.stamp messages
	@exec $(BIN)/python -m pytest -n 2 $(ARGS) $(or $(TEST),tests)

nightly: .venv/dev.stamp messages
	@HUB_STATEFUL=nightly exec $(BIN)/python -m pytest -n 2 -m "nightly or stateful" $(ARGS) $(or $(TEST),tests)

check: .venv/dev.stamp messages
	@failed=""; \
	try() { echo "── $$*"; "$$@" || failed="$$failed\n  $$*"; }; \
	try $(BIN)/ruff check .; \
	try $(BIN)/ruff format --check .; \
	try $(BIN)/lint-imports; \
	try $(BIN)/mypy $(APPS); \
	try $(BIN)/python -W "ignore:Got an error checking:RuntimeWarning" manage.py makemigrations --check --dry-run; \
	try $(BIN)/python manage.py check; \
	if [ -n "$$failed" ]; then printf "Failed:$$failed\n"; exit 1; else echo "All checks passed."; fi

bench: .venv/dev.stamp messages
	@exec $(BIN)/python -m benchmarks $(SUITE)

web: .venv/run.stamp messages
	@$(BIN)/python manage.py collectstatic --noinput -v 0
	@HUB_ROLE=web exec $(BIN)/python -m config.embedded $(BIN)/gunicorn config.wsgi -k gthread --workers 2 --threads 16 \
	  -b "127.0.0.1:$(PORT)" --timeout 60 --no-control-socket

worker: .venv/run.stamp messages
	@HUB_ROLE=worker exec $(BIN)/python -m config.embedded nice -n $(NICE) $(BIN)/celery -A config worker -Q $(QUEUES) -c $(CONCURRENCY) -l INFO

beat: .venv/run.stamp messages
	@exec $(BIN)/python -m config.embedded $(BIN)/celery -A config beat -l INFO --pidfile=

demo-reset: .venv/run.stamp
	@exec $(BIN)/python -m config.embedded reset

messages: .venv/run.stamp
	@$(if $(CATALOGS),$(BIN)/pybabel --quiet compile -d locale -D django,true)
