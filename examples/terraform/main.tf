terraform {
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
  }
}

variable "context" {
  type    = string
  default = "prod"
}

provider "helm" {
  kubernetes = {
    config_path    = "~/.kube/config"
    config_context = var.context
  }
}

resource "helm_release" "shirts" {
  name      = "shirts"
  namespace = "default"
  chart     = "${path.module}/../shirts"

  # There is no Helm to be asked: the provider is one itself. So all of this has to be said.
  postrender = {
    binary_path = "postrender"
    args = [
      "--release=shirts",
      "--namespace=default",
      "--kube-context=${var.context}",
      "--helm-version=3.18.5", # of the provider 3.1.2
      "--action=upgrade-install",
      # Terraform runs no second upgrade that would apply what is left undone.
      "--on-drift=apply",
    ]
  }
}
