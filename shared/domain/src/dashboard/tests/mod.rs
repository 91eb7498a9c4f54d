//! What is generated, looked at as a linter, a reader and Grafana's evaluator would.
