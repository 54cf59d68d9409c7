# Two commands do all set-up on a fresh Debian machine with a Swift toolchain: `make run` and `make test`.
# `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# What the build and the tests need from Debian.
PACKAGES := pkg-config libudev-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev libmodbus-dev libmosquitto-dev libpq-dev zlib1g-dev \
    umockdev gir1.2-umockdev-1.0 python3-gi python3-venv systemd udev sqlite3 libxkbcommon0 xkb-data tshark openssl \
    mosquitto postgresql xfsprogs e2fsprogs

ROOT := $(CURDIR)
VENV := $(ROOT)/.venv-tests
# Test data that the project may not ship; tests that need them say that they were skipped where they are missing.
STOCKGATE_VECTORS ?= $(wildcard $(ROOT)/../shared/vectors)
export STOCKGATE_VECTORS
export STOCKGATE_PYTHON = $(VENV)/bin/python
export STOCKGATE_IDENTIFIER_COUNTERPARTS = $(VENV)/identifiers.jsonl

FUZZ_SECONDS ?= 600

.PHONY: check-deb deb docs fuzz fuzz-short help lab setup build release run test lint format check-units sanitize bench accuracy soak long clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install missing Debian packages, or say which command does
	@scripts/setup $(PACKAGES)

build: setup ## build everything for debugging, the tests too
	swift build --build-tests

release: setup ## build the two programs for use
	swift build -c release --product stockgated
	swift build -c release --product stockgate

deb: setup ## the Debian package build/stockgate_VERSION_ARCH.deb (ARCH, SKIP_BUILD=1)
	@scripts/setup dpkg-dev
	@packaging/build

check-deb: ## unpack the package and look at it as the machine that installs it will
	@scripts/setup lintian man-db zsh fish
	packaging/check

run: setup ## show the product at work: a gate, a bench and a cabinet with simulated devices
	swift build --product stockgated
	swift build --product stockgate
	@.build/debug/stockgate demo --files Demo --directory run/demo

$(VENV)/ready: Tests/counterparts/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement Tests/counterparts/requirements.txt
	touch $@

# Identifiers as two independent Python libraries read them.
$(VENV)/identifiers.jsonl: $(VENV)/ready Tests/counterparts/identifiers.py
	$(VENV)/bin/python Tests/counterparts/identifiers.py 1 2000 > $@

test: build $(VENV)/ready $(VENV)/identifiers.jsonl ## all tests that a commit must pass
	swift test --skip-build --no-parallel
	$(MAKE) --no-print-directory check-units

check-units: ## systemd units and udev rules, by the tools that read them
	scripts/check-units

docs: setup ## write docs/devices.md and the udev rules anew from the device profiles
	swift build --product stockgate
	.build/debug/stockgate profile list --markdown --profile-dir DeviceProfiles > docs/devices.md.new
	.build/debug/stockgate profile rules --profile-dir DeviceProfiles > udev/70-stockgate.rules.new
	mv docs/devices.md.new docs/devices.md
	mv udev/70-stockgate.rules.new udev/70-stockgate.rules

lint: ## the format and the house rules
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks/Sources Accuracy/Sources Fuzzing/Sources/StockgateFuzz

format: ## bring the sources into the format
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks/Sources Accuracy/Sources Fuzzing/Sources/StockgateFuzz

# The targets whose locks the sanitizer can see: the standard library's Mutex is not instrumented, and where threads contend for one
# (the store) correct code is reported as a race.
sanitize: setup ## the engine and device tests under the thread sanitizer
	swift build --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.suppressions \
		swift test --skip-build --no-parallel --sanitize=thread --scratch-path .build-tsan --filter 'EngineTests|DevicesTests|ModbusTests'

# Where the stores lie whose commits stockgate-store-bench and stockgate-gate-bench time: those of a disk, not of memory.
BENCH_DIRECTORY ?= $(or $(TMPDIR),/tmp)

bench: release ## reads per second, durable commits, decisions with a year in the store, all beside plain C; a report of 50,000 loans
	swift run -c release --package-path Benchmarks stockgate-bench
	swift run -c release --package-path Benchmarks stockgate-store-bench $(BENCH_DIRECTORY)
	swift run -c release --package-path Benchmarks stockgate-report-bench
	swift run -c release --package-path Benchmarks stockgate-gate-bench $(BENCH_DIRECTORY) --gateway .build/release/stockgated \
	    --command .build/release/stockgate --profiles DeviceProfiles

# Percent of the runs of the shipped table; less is written to build/accuracy, for a look.
ACCURACY_SHARE ?= 100
ACCURACY_OUTPUT ?= $(if $(filter 100,$(ACCURACY_SHARE)),docs,build/accuracy)

accuracy: setup ## docs/accuracy.md anew: how right the decisions are, beside other methods (ACCURACY_SHARE=5: a look)
	mkdir -p $(ACCURACY_OUTPUT)
	swift run -c release --package-path Accuracy stockgate-accuracy --share $(ACCURACY_SHARE) --output $(ACCURACY_OUTPUT)

lab: ## the installed package with real USB drivers in virtual machines (DEB=file, ONLY="names"); docs/lab.md
	@Lab/run $(if $(DEB),--deb $(DEB)) $(ONLY)

SOAK_SECONDS ?= 600

soak: release ## sixteen readers of 1,000 reads/s against the daemon: nothing lost, CPU and memory (SOAK_SECONDS)
	swift build -c release --package-path Benchmarks --product stockgate-soak
	Benchmarks/.build/release/stockgate-soak --seconds $(SOAK_SECONDS) --gateway .build/release/stockgated \
	    --command .build/release/stockgate --profiles DeviceProfiles

fuzz: setup ## random bytes guided by coverage against every decoder and parser, FUZZ_SECONDS each (600)
	Fuzzing/run $(FUZZ_SECONDS)

fuzz-short: setup ## the same, 20 s each
	Fuzzing/run 20

long: build $(VENV)/ready ## kills at random moments, a minute of random bytes, thousands of closes, power cuts, 10,000 crash histories, a year of loans: what takes too long for every commit
	STOCKGATE_LONG=1 swift test --skip-build --filter SystemTests
	STOCKGATE_LONG=1 swift test -c release -Xswiftc -enable-testing --scratch-path .build-long --no-parallel \
	    --filter 'PresenceTests|CatchUpTests|CrashTests|StoreTests.KillTests|LedgerTests.YearTests'

clean: ## remove everything that was built
	rm -rf .build .build-tsan .build-long Benchmarks/.build Accuracy/.build Fuzzing/.build .build-deb build $(VENV) run
