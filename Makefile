# Everything here needs Go; `make test` installs the rest of what tests need (.ci/install).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# go.mod changes by `go get` in a commit that says why, never by a build.
export GOFLAGS := -mod=readonly $(filter-out -mod=%,$(GOFLAGS))

# Packages compiled or tested at once: a race build of the SQLite driver wants about a gigabyte.
PARALLEL ?= 2
# How long each fuzz target runs.
FUZZTIME ?= 30s
# What follows `postern dev` in `make run`: make run ARGS='--listen 127.0.0.1:9080'
ARGS ?=

.PHONY: run build test lint bench fuzz mutate clean

run: build
	@exec bin/postern dev $(ARGS)

build:
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -o bin/postern ./cmd/postern

# CI=true: a test that lacks what it needs fails instead of skipping.
test:
	@.ci/install
	-@.ci/dex >/dev/null # without it the tests that want it fail, and only those
	CI=true CGO_ENABLED=1 go test -race -p $(PARALLEL) -timeout 20m ./...
	@.ci/schemathesis

lint:
	@.ci/lint

bench:
	go run ./bench tokens
	go test -run '^$$' -bench . -benchmem -p 1 ./...

fuzz:
	@.ci/fuzz $(FUZZTIME)

# One changed value per field of each dialect file: each must fail a conversation. Each check of
# the guard turned off, one at a time: each must fail a test.
mutate:
	@grep -q '^Test' <<<"$$(go test -list Mutat ./...)" || { echo 'make mutate: no mutation test found' >&2; exit 1; }
	POSTERN_MUTATE=1 go test -count=1 -timeout 30m -run Mutat ./...

clean:
	rm -rf bin postern
	rm -f ./*.test ./*.prof
