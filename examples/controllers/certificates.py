"""Every Certificate has a Secret that is valid for another week.

Runs in the daemon by an entry point, outside with ``podium controller certificates:Certificates``, and in a test.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from orchestrator import Apply, Controller, RequeueAt, SetCondition

LASTS = timedelta(days=67)
LEFT = timedelta(days=7)

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: certificates, singular: certificate, kind: Certificate}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Host, type: string, jsonPath: .spec.host}
    - {name: Valid, type: string, jsonPath: '.status.conditions[?(@.type=="Valid")].status'}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [host]
            properties:
              host: {type: string, minLength: 1}
          status:
            type: object
            properties:
              conditions:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [type]
                items:
                  type: object
                  required: [type]
                  x-kubernetes-preserve-unknown-fields: true
                  properties: {type: {type: string}}
"""


class Certificates(Controller, kind="certificates.example.com/v1"):
    """Every Certificate has a Secret that is valid for another week."""

    owns = ("secrets",)

    def plan(self, certificate: Any, observed: Any, now: datetime) -> Any:
        secret = observed.secret
        if secret is None or expiry(secret) < now + LEFT:
            made = Apply(secret_for(certificate, now + LASTS))
            return made, SetCondition("Valid", True, "Issued"), RequeueAt(now + LASTS - LEFT)
        return RequeueAt(expiry(secret) - LEFT)


def expiry(secret: Any) -> datetime:
    return datetime.fromisoformat(secret.annotations["example.com/expires"])


def secret_for(certificate: Any, expires: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": certificate.name, "annotations": {"example.com/expires": expires.isoformat()}},
        "stringData": {"host": certificate.spec["host"]},
    }
