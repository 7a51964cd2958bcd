"""The cluster room against a server that speaks the Kubernetes API's wire format and misbehaves on demand."""
