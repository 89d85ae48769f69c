{{/*
A component that runs all the time. Takes the dict of the pod (see _pod.tpl), and: kind, the part of the name;
strategy (RollingUpdate or Recreate); scaled, true where an autoscaler sets the number of pods.
*/}}
{{- define "losus.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "losus.name" (list .root .kind) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "losus.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- if not .scaled }}
  replicas: {{ int64 .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "losus.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
      {{- if .source }}
      losus-adapter.se/source: {{ .source }}
      {{- end }}
  strategy:
    type: {{ .strategy }}
    {{- if eq .strategy "RollingUpdate" }}
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
  template:
    metadata:
      {{- include "losus.podMeta" . | nindent 6 }}
    spec:
      {{- include "losus.podSpec" . | nindent 6 }}
{{- end -}}

{{/* A budget, so that a node is not drained of all pods of a component at once: dict of root, name, values. */}}
{{- define "losus.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "losus.name" (list .root .name) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "losus.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  maxUnavailable: {{ .values.maxUnavailable }}
  # What is not ready is in nobody's way: a broker that is away must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "losus.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
{{- end -}}
