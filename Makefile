# The doors of the repository. `make demo` and `make test` start from a Debian 12 that has git and make, as root or with
# sudo; everything else they need is in deploy/packages.txt.
SHELL := /bin/bash
PORTA := build/release/porta
FORMATTED = git ls-files -z '*.cpp' '*.h'
FUZZ_SECONDS ?= 60
FAULT_SEEDS ?= 20

.PHONY: help setup build test test-faults test-peers test-powercut race demo demo-kafka asan fuzz fuzz-coverage bench bench-rivals lint format clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 14

setup:  ## install what deploy/packages.txt names and this machine lacks
	@deploy/setup.sh

build: setup  ## the binary: build/release/porta
	@cmake --preset release -Wno-dev --log-level=WARNING
	@cmake --build build/release --target all

test: setup  ## build, unit tests, acceptance from outside, privacy, sanitizers, fuzzers, the servers for tests
	@python3 tests/run_all.py

test-powercut: build  ## 200 states that a power cut may leave, of a run of 50,000 raw records; takes half an hour
	@python3 tests/powercut/powercut_test.py $(PORTA) --people 6800 --states 200 --finish 10

demo: build  ## three hundred invented people from feeds to a traced view, in a minute
	@python3 tests/demo/demo.py $(PORTA)

demo-kafka: build  ## the same over a real Apache Kafka and PostgreSQL, one process per role; equal views proved
	@python3 tests/demo/demo_kafka.py $(PORTA)

test-faults: build  ## every fault on a real Kafka and PostgreSQL, FAULT_SEEDS (20) seeds each; about an hour
	@python3 tests/faults/run.py $(PORTA) --seeds $(FAULT_SEEDS)

test-peers: build  ## some 4,000 expressions by fhirpath.js, too; where the answers differ, a reason is known; a minute
	@python3 tests/peers/peers_test.py $(PORTA) 1

race: build  ## the threads under valgrind's helgrind: files, and clients pushing to all roles; four minutes
	@python3 tests/race/race_test.py $(PORTA) 400

asan: setup  ## unit tests of the rooms without I/O under clang's address and undefined-behaviour sanitizers
	@python3 tests/run_all.py --only asan

fuzz: setup  ## each fuzzer for FUZZ_SECONDS (60), from the goldens' inputs and what it found before
	@FUZZ_SECONDS=$(FUZZ_SECONDS) python3 tests/run_all.py --only fuzz

fuzz-coverage: setup  ## the lines that the fuzzers reach, by file; fails below 80 %. FUZZ_SECONDS (20) for each
	@python3 tests/fuzz/coverage.py

bench: build  ## raw records a second, cost growth, start time, and one record of each kind on one core; medians and spread
	@build/release/bench/micro --benchmark_repetitions=5 --benchmark_min_time=0.2 --benchmark_report_aggregates_only=true
	@python3 bench/ingest.py $(PORTA)

bench-rivals: build  ## beside jq, fhirpath.js, JSONata and HAPI HL7 v2, on one core; installs them below build/ by npm and Maven
	@python3 bench/rivals/run.py $(PORTA)

lint: setup  ## include directions, folders, names in the documents; formatting of every C++ file
	@python3 tests/run_all.py --only lint

format: setup  ## clang-format 14 over the tracked C++ files
	@$(FORMATTED) | xargs -0 clang-format-14 -i

clean:  ## remove build/
	rm -rf build
