# Every command that anyone needs. `make` lists them.

# Queries are compiled against .sqlx; else their macros ask whatever database DATABASE_URL names.
export SQLX_OFFLINE := true

.DEFAULT_GOAL := help
.PHONY: help install demo dev test check prepare bench ci

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Put PostgreSQL's programs and the SQS emulators in place, if they are missing
	@scripts/install-postgres
	@scripts/install-sqs-emulators

demo: ## Show whole onboardings, from connect to members, on simulated platforms
	@scripts/install-postgres
	@cargo run --package cli --bin millrace -- demo

dev: ## Run both services and a database of their own
	@scripts/install-postgres
	@cargo run --package cli --bin millrace -- dev

test: install ## Run all tests against throw-away services
	@scripts/test

check: ## Check format, lints, documentation, the queries' data and the dependencies
	@scripts/install-postgres
	@scripts/check

prepare: ## Write .sqlx anew, after a query or a migration has changed
	@scripts/install-postgres
	@scripts/prepare

bench: ## Measure the engine against the floor
	@scripts/install-postgres
	@mkdir -p target
	@cargo run --release --package cli --bin millrace -- bench --json target/bench.json

ci: ## What CI runs: install, check, test
	@.ci/run
