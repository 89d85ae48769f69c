"""What a value of the chart may be where its default does not tell: by its whole path, or by its key anywhere.

Owns patterns and bounds of values; each says by its refusal what would be unsafe, or wrong only in the cluster.
"""

# ruff: noqa: E501 - a row stands on one line

from typing import Any

_NAME = {"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
_OR_NONE = {"anyOf": [{"const": ""}, _NAME]}
_COUNT = {"type": "integer", "minimum": 1}
_QUANTITY = {"type": "string", "pattern": "^[0-9]+([.][0-9]+)?(m|Ki|Mi|Gi)?$"}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_SELECTOR = {"type": "object", "minProperties": 1}
_CIDR = {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]+$"}
_NARROW_CIDR = {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[1-9][0-9]*$"}
_CRON = {"type": "string", "pattern": r"^(\S+ ){4}\S+$"}
_PROCESSES = [
    "api", "relay", "watch", "poll", "listen", "settle", "retention", "topics", "migrate", "doctor",
]  # fmt: skip


def _peers(cidr: dict[str, Any]) -> dict[str, Any]:
    block = {
        "type": "object",
        "additionalProperties": False,
        "required": ["cidr"],
        "properties": {"cidr": cidr, "except": {"type": "array", "items": _CIDR}},
    }
    return {
        "type": "array",
        "items": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {"namespaceSelector": _SELECTOR, "podSelector": _SELECTOR, "ipBlock": block},
        },
    }


#: No secret is a word of a chart: what a variable of such a name would hold belongs into a Secret.
_ENVIRONMENT = {
    "type": "object",
    "propertyNames": {
        "pattern": "^[A-Z_][A-Z0-9_]*$",
        "not": {
            "anyOf": [
                {"pattern": "(PASSWORD|SECRET|TOKEN|HEADERS|DSN|DATABASE)$"},
                {"enum": ["LOSUS_OPEN_DOORS", "LOSUS_SETTINGS", "LOSUS_SECRETS", "PGPASSFILE"]},
            ]
        },
    },
    "additionalProperties": {"type": "string"},
}

_RESOURCES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["requests", "limits"],
    "properties": {
        "requests": {
            "type": "object",
            "additionalProperties": False,
            "required": ["cpu", "memory"],
            "properties": {"cpu": _QUANTITY, "memory": _QUANTITY},
        },
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "required": ["memory"],
            "properties": {"cpu": _QUANTITY, "memory": _QUANTITY},
        },
    },
}

_MOUNT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "for"],
    "oneOf": [{"required": ["secret"]}, {"required": ["configMap"]}],
    "properties": {
        "name": {
            "type": "string",
            "maxLength": 50,
            "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            "not": {"const": "losus"},
            "description": "Its folder: /run/secrets/<name>.",
        },
        "secret": {**_NAME, "description": "Name of a Secret."},
        "configMap": {**_NAME, "description": "Name of a ConfigMap: authorities, not secrets."},
        "for": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": _PROCESSES},
            "description": "The components that have it.",
        },
        "items": {**_TEXTS, "description": "Which keys, and the files that they become; default: all."},
    },
}

_SPREAD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["topologyKey", "maxSkew", "whenUnsatisfiable"],
    "properties": {
        "topologyKey": {"type": "string"},
        "maxSkew": _COUNT,
        "whenUnsatisfiable": {"enum": ["ScheduleAnyway", "DoNotSchedule"]},
    },
}

FORMS: dict[str, dict[str, Any]] = {
    "fullnameOverride": {
        "anyOf": [{"const": ""}, {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"}]
    },
    "image.repository": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$"},
    "image.tag": {"type": "string", "pattern": "^[A-Za-z0-9_.-]*$", "not": {"const": "latest"}},
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["IfNotPresent", "Always", "Never"]},
    "image.pullSecrets": {"type": "array", "items": _NAME},
    "name": _NAME,
    "key": {"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"},
    "mounts": {"type": "array", "items": _MOUNT},
    "mappings.files": {**_TEXTS, "propertyNames": {"pattern": "^[a-z0-9-]+[.]yaml$"}},
    "mappings.concepts": {**_TEXTS, "propertyNames": {"pattern": "^[a-z0-9-]+[.]json$"}},
    "agreements.files": {**_TEXTS, "propertyNames": {"pattern": "^[a-z0-9-]+[.]yaml$"}},
    "annotations": _TEXTS,
    "labels": _TEXTS,
    "environment": _ENVIRONMENT,
    "resources": _RESOURCES,
    "relay.replicas": {"type": "integer", "minimum": 2, "maximum": 8},
    "poll.replicas": {"const": 1},
    "listen.replicas": {"const": 1},
    "api.replicas": {"type": "integer", "minimum": 2},
    "replicas": _COUNT,
    "minReplicas": {"type": "integer", "minimum": 2},
    "maxReplicas": {"type": "integer", "minimum": 2},
    "maxUnavailable": _COUNT,
    "targetCPUUtilizationPercentage": {"type": "integer", "minimum": 10, "maximum": 95},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "ports": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
    "drainSeconds": {"type": "integer", "minimum": 1, "maximum": 120},
    "terminationGracePeriodSeconds": {"type": "integer", "minimum": 30, "maximum": 600},
    "activeDeadlineSeconds": {"type": "integer", "minimum": 60},
    "backoffLimit": {"type": "integer", "minimum": 0, "maximum": 10},
    "schedule": _CRON,
    "pods.user": {"type": "integer", "minimum": 1000},
    "pods.group": {"type": "integer", "minimum": 1000},
    "pods.listen": {"enum": ["0.0.0.0", "::"]},  # noqa: S104 - within a pod
    "pods.tmpSizeLimit": _QUANTITY,
    "pods.priorityClassName": _OR_NONE,
    "pods.nodeSelector": _TEXTS,
    "pods.tolerations": {"type": "array", "items": {"type": "object"}},
    "pods.affinity": {"type": "object"},
    "pods.topologySpread": {"type": "array", "items": _SPREAD},
    "ingress.paths": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "string",
            "pattern": "^/[a-z.]",
            "not": {"pattern": "^/(metrics|healthz|readyz)"},
        },
    },
    "to": _peers(_CIDR),
    "networkPolicy.ingressController": _peers(_CIDR),
    "networkPolicy.monitoring": _peers(_NARROW_CIDR),
    "interval": {"type": "string", "pattern": "^[0-9]+s$"},
    "scrapeTimeout": {"type": "string", "pattern": "^[0-9]+s$"},
    "strimzi.cluster": _NAME,
    "strimzi.namespace": _OR_NONE,
    "strimzi.api": {"enum": ["v1", "v1beta2"]},
    "strimzi.authentication": {"enum": ["tls", "scram-sha-512"]},
}

#: The settings, and what the service would refuse of them (`adapter.access.demands`) as far as a schema can say it.
SETTINGS: dict[str, Any] = {
    "$ref": "#/$defs/Settings",
    "required": ["region", "base_url", "kafka", "staff"],
    "properties": {
        "base_url": {"pattern": "^https://"},
        "kafka": {
            "required": ["bootstrap"],
            "anyOf": [
                {"required": ["tls"], "properties": {"tls": {"type": "object"}}},
                {"required": ["plaintext"], "properties": {"plaintext": {"const": True}}},
            ],
        },
        "staff": {"type": "object"},
        "subscribers": {"minProperties": 1},
    },
}
