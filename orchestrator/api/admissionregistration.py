"""The rules of ``admissionregistration.k8s.io``: webhooks and admission policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.api.cells import UNSET, age_of, columns, name_of
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_subdomain

GROUP = "admissionregistration.k8s.io"
WEBHOOK_PORT = 443
WEBHOOK_SECONDS = 10
_FAILURE = ("Fail", "Ignore")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")


def _default_rules(rules: list[Object] | None) -> None:
    for rule in rules or ():
        setdefault(rule, "scope", "*")


def _default_webhook(webhook: Object) -> None:
    setdefault(webhook, "failurePolicy", "Fail")
    setdefault(webhook, "timeoutSeconds", WEBHOOK_SECONDS)
    _default_matching(webhook)
    _default_rules(webhook.get("rules"))
    service = (webhook.get("clientConfig") or {}).get("service")
    if service is not None:
        setdefault(service, "port", WEBHOOK_PORT)


def _default_matching(holder: Object) -> None:
    setdefault(holder, "matchPolicy", "Equivalent")
    setdefault(holder, "namespaceSelector", {})
    setdefault(holder, "objectSelector", {})


def _default_validating(obj: Object) -> None:
    for webhook in obj.get("webhooks") or ():
        _default_webhook(webhook)


def _default_mutating(obj: Object) -> None:
    for webhook in obj.get("webhooks") or ():
        _default_webhook(webhook)
        setdefault(webhook, "reinvocationPolicy", "Never")


def _default_policy(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "failurePolicy", "Fail")
    if spec.get("matchConstraints") is not None:
        _default_resources(spec["matchConstraints"])


def _default_resources(resources: Object) -> None:
    _default_matching(resources)
    _default_rules(resources.get("resourceRules"))
    _default_rules(resources.get("excludeResourceRules"))


def _default_binding(obj: Object) -> None:
    resources = obj.setdefault("spec", {}).get("matchResources")
    if resources is not None:
        _default_resources(resources)


def _check_webhooks(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for position, webhook in enumerate(obj.get("webhooks") or ()):
        path = Path("webhooks").index(position)
        name = webhook.get("name") or ""
        errors.extend(_check_name(name, path.child("name")))
        if name in seen:
            errors.append(duplicate(path.child("name"), name))
        seen.add(name)
        _check_webhook(webhook, path, errors)
    return errors


def _check_name(name: str, path: Path) -> list[FieldError]:
    if not name:
        return [required(path)]
    errors = [invalid(path, name, ",".join(texts)) for texts in (dns_subdomain(name),) if texts]
    if not errors and name.count(".") < 2:
        errors.append(invalid(path, name, "should be a domain with at least three segments separated by dots"))
    return errors


def _check_webhook(webhook: Object, path: Path, errors: list[FieldError]) -> None:
    effects = webhook.get("sideEffects")
    if effects is None:
        errors.append(required(path.child("sideEffects"), "must specify one of None, NoneOnDryRun"))
    elif effects not in _SIDE_EFFECTS:
        errors.append(not_supported(path.child("sideEffects"), effects, _SIDE_EFFECTS))
    if not webhook.get("admissionReviewVersions"):
        text = "must specify one of v1, v1beta1"
        errors.append(required(path.child("admissionReviewVersions"), text))
    if webhook.get("failurePolicy") not in _FAILURE:
        errors.append(not_supported(path.child("failurePolicy"), webhook.get("failurePolicy"), _FAILURE))
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        text = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(path.child("timeoutSeconds"), seconds, text))
    config = webhook.get("clientConfig") or {}
    if (config.get("url") is None) == (config.get("service") is None):
        text = "exactly one of url or service is required"
        errors.append(required(path.child("clientConfig"), text))


def _webhooks_changed(new: Object, old: Object) -> bool:
    return new.get("webhooks") != old.get("webhooks")


def _webhooks_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), len(obj.get("webhooks") or ()), age_of(obj, now)]


def _policy_row(key: str) -> Callable[[Object, float], list[Any]]:
    def row(obj: Object, now: float) -> list[Any]:
        spec = obj.get("spec") or {}
        kind = spec.get("paramKind")
        text = f"{kind.get('apiVersion')}/{kind.get('kind')}" if kind else UNSET
        return [name_of(obj), len(spec.get(key) or ()), text, age_of(obj, now)]

    return row


def _binding_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    reference = spec.get("paramRef") or {}
    text = UNSET
    if reference.get("name"):
        text = f"{reference.get('namespace') or '*'}/{reference['name']}"
    return [name_of(obj), spec.get("policyName") or "", text, age_of(obj, now)]


def _webhook_rules(kind: str, default: Callable[[Object], None]) -> Rules:
    return Rules(
        group=GROUP,
        kind=kind,
        namespaced=False,
        counts=_webhooks_changed,
        unconditional_update=False,
        default=default,
        check=_check_webhooks,
        columns=columns("Name", "Webhooks:int", "Age"),
        row=_webhooks_row,
    )


def _policy_rules(kind: str, key: str, column: str, has_status: bool) -> Rules:
    return Rules(
        group=GROUP,
        kind=kind,
        namespaced=False,
        has_status=has_status,
        counts=spec_changed,
        unconditional_update=False,
        default=_default_policy,
        columns=columns("Name", column, "ParamKind", "Age"),
        row=_policy_row(key),
    )


def _binding_rules(kind: str) -> Rules:
    return Rules(
        group=GROUP,
        kind=kind,
        namespaced=False,
        counts=spec_changed,
        unconditional_update=False,
        default=_default_binding,
        columns=columns("Name", "PolicyName", "ParamRef", "Age"),
        row=_binding_row,
    )


RULES = (
    _webhook_rules("ValidatingWebhookConfiguration", _default_validating),
    _webhook_rules("MutatingWebhookConfiguration", _default_mutating),
    _policy_rules("ValidatingAdmissionPolicy", "validations", "Validations:int", True),
    _policy_rules("MutatingAdmissionPolicy", "mutations", "Mutations:int", False),
    _binding_rules("ValidatingAdmissionPolicyBinding"),
    _binding_rules("MutatingAdmissionPolicyBinding"),
)
