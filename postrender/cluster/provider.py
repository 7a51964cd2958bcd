"""Auth providers, which kubeconfigs had before exec plugins."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping

from postrender.errors import ClusterError
from postrender.live import Json

_GKE = "gcloud container clusters get-credentials CLUSTER"

_SOON = 10
"""Seconds before its end from which on a token counts as expired, as in client-go's oidc plugin."""


def with_token(user: Mapping[str, Json], where: str) -> dict[str, Json]:
    """The user with the token that an ``oidc`` provider has stored; raises ClusterError where it has expired.

    Renewing it would change the kubeconfig, where the next token is kept, so that is left to kubectl and Helm. No
    program of another provider is run: since 0.26 client-go knows only this one (plugin/pkg/client/auth/plugins.go).
    """
    provider = user.get("auth-provider")
    if not provider:
        return dict(user)
    name = provider.get("name") if isinstance(provider, dict) else None
    if not isinstance(provider, dict) or name != "oidc":
        raise ClusterError(
            f"the auth provider {name!r} is not supported; client-go 0.26 and later has none but 'oidc'",
            where=where,
            next=_GKE if name == "gcp" else "kubectl config view",
        )
    token = (provider.get("config") or {}).get("id-token")
    if not isinstance(token, str) or _ends(token) - _SOON <= time.time():
        raise ClusterError(
            "the token of the auth provider oidc is missing or has expired, and only kubectl and Helm renew it",
            where=where,
            next="kubectl get --raw /version",
        )
    return {**{key: value for key, value in user.items() if key != "auth-provider"}, "token": token}


def _ends(token: str) -> float:
    """When a JWT expires, in seconds since 1970; never, where it does not say."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return float("inf")
