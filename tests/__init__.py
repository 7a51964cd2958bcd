"""Tests: without a cluster, against a server that speaks the Kubernetes API, and against real Helms."""
