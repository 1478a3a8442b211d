# Everything a person or CI does here, one word each. Each word installs what it lacks (packaging/packages.txt).
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test build install uninstall deb tarball bench demo test-interop test-watch test-packaging fuzz lint format

help:
	@echo 'make run           build, then serve on 127.0.0.1:4566 with data in ./data (more flags: ARGS="--loops 1")'
	@echo 'make test          every test; ends with one line: N passed, N failed, N skipped'
	@echo 'make build         build/release/millrace'
	@echo 'make install       binary, manual page, unit and docs below DESTDIR and PREFIX=/usr/local; make uninstall'
	@echo 'make deb           build/packages/millrace_….deb; make tarball: the same as an archive'
	@echo 'make demo          a live user-behaviour pipeline, end to end (more flags: ARGS="--rate 50000")'
	@echo 'make bench         the benchmarks'
	@echo 'make test-interop  the newest clients of other ecosystems, beyond those of make test'
	@echo 'make test-watch    dashboard and alerts of deploy/prometheus against a real Prometheus and real servers'
	@echo 'make test-packaging  the package, the image and the files of deploy/; needs root for debootstrap'
	@echo 'make fuzz          every fuzz target for SECONDS_EACH=60 seconds, or all in SECONDS_TOTAL'
	@echo 'make lint          formatting, house rules, imports, clang-tidy'
	@echo 'make format        formats every C++ file'

build:
	@tools/install-packages server
	@tools/build release millrace

# Builds nothing, so that root needs no compiler: make build first.
install:
	@DESTDIR="$(DESTDIR)" PREFIX="$(or $(PREFIX),/usr/local)" packaging/install build/release/millrace

uninstall:
	@DESTDIR="$(DESTDIR)" PREFIX="$(or $(PREFIX),/usr/local)" packaging/install --remove

deb: build
	@tools/install-packages packaging
	@packaging/make_deb build/release/millrace

tarball: build
	@packaging/make_tarball build/release/millrace

test-packaging: build
	@tools/install-packages packaging
	@tests/packaging/run build/release/millrace

run: build
	@exec build/release/millrace serve $(ARGS)

test:
	@tools/install-packages server test
	@tools/test

demo: build
	@tools/install-packages demo
	@examples/demo/run $(ARGS)

bench: build
	@tools/install-packages bench
	@tools/build bench
	@bench/run $(ARGS)

test-interop: build
	@tools/install-packages interop
	@tests/interop/run $(ARGS)

# Where Debian's mirror cannot be reached, tests/watch/run says so and counts as skipped.
test-watch: build
	@tools/install-packages watch || true
	@tests/watch/run $(ARGS)

SECONDS_EACH ?= 60
fuzz:
	@tools/install-packages server test fuzz
	@tools/build asan fuzz_targets
	@tools/fuzz $(if $(SEED),--seed $(SEED)) $(if $(SECONDS_TOTAL),--total $(SECONDS_TOTAL),$(SECONDS_EACH))

lint:
	@tools/install-packages server test lint
	@tools/lint

format:
	@tools/install-packages lint
	@tools/format
