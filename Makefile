# Every step of .ci/run is a target here. `make test` is the whole of it.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
BIN     ?= bin
SKIPS   := $(abspath $(BIN))/skips.txt
# Packages whose goroutines are worth the price of the race detector.
RACE    := ./internal/journal/... ./internal/wire/... ./internal/identity/... ./agent/... \
           ./collector/batch/... ./collector/receive/... ./collector/fold/... ./collector/series/... \
           ./collector/ledger/... ./collector/people/... ./collector/figures/... ./collector/web/... ./collector/api/...

.PHONY: run build build-all tools fmt vet lint unit race e2e test vuln bench fuzz soak

run: ## the product, for this host
	go run ./cmd/plimsoll-collector quickstart

build: ## both programs, static
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/plimsoll-agent ./cmd/plimsoll-collector

# Systems the agent is built for and was never run on.
SYSTEMS ?= windows/amd64 darwin/arm64 darwin/amd64 freebsd/amd64
build-all: ## the agent for the other systems: that it builds, not that it runs
	@for s in $(SYSTEMS); do \
	  out=$(BIN)/plimsoll-agent-$${s%/*}-$${s#*/}; case $$s in windows/*) out=$$out.exe;; esac; \
	  GOOS=$${s%/*} GOARCH=$${s#*/} CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $$out ./cmd/plimsoll-agent || exit 1; \
	  echo "built, not run: $$out"; done

tools: ## installs what the tests need, only as root on a Debian-like machine
	@.ci/tools

fmt:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt would change:"; echo "$$out"; exit 1; }

vet:
	go vet ./...

lint:
	@if command -v golangci-lint >/dev/null; then golangci-lint run --allow-parallel-runners ./...; \
	else echo "skipped golangci-lint: not on this machine (go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest)" | tee -a $(SKIPS); fi

unit: ## all that needs neither a child process nor another program comes first
	PLIMSOLL_SKIPS=$(SKIPS) go test -timeout 40m ./...

race:
	@if command -v $${CC:-cc} >/dev/null; then CGO_ENABLED=1 PLIMSOLL_SKIPS=$(SKIPS) go test -race -short -timeout 40m $(RACE); \
	else echo "skipped the race detector: no C compiler on this machine" | tee -a $(SKIPS); fi

test: ## everything; the last lines name what was skipped and why
	@mkdir -p $(BIN) && : > $(SKIPS)
	@$(MAKE) --no-print-directory tools fmt build build-all vet lint race unit
	@sort -u $(SKIPS); echo "skips: $$(sort -u $(SKIPS) | wc -l)"

vuln: ## needs the vulnerability database on the Internet
	@if out=$$(go run golang.org/x/vuln/cmd/govulncheck@latest ./... 2>&1); then echo "$$out"; \
	else echo "$$out" | tail -n 20; echo "$$out" | grep -q 'vuln.go.dev' && echo "skipped govulncheck: its database cannot be reached from here" || exit 1; fi

bench: ## the figures beside the code, then the peers in one run
	go test -run '^$$' -bench . -benchmem ./internal/... ./collector/... ./agent/...
	PLIMSOLL_BENCH=1 go test -count=1 -v -run Speed ./collector/figures
	PLIMSOLL_BENCH=1 go test -count=1 -timeout 30m -v -run 'Beside|Replay' ./internal/e2e/...

FUZZTIME ?= 10s
fuzz: ## every fuzz target for FUZZTIME
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9_]+' $$p/*_test.go | sed 's/func //'); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

soak: ## what does not fit into .ci/run, in jobs of at most ten minutes; goes on where it was interrupted
	@.ci/soak $(JOBS)
