"""The post-renderer: manifests in, the manifests that Helm is to install out."""
