{{/*
Names and labels. Everything is named after the release, so that several fit into one namespace.
*/}}

{{/* Give the base of all names. */}}
{{- define "losus.base" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Give a name from base and part, list of root and part; a long one is cut and told apart by its hash. */}}
{{- define "losus.name" -}}
{{- $name := printf "%s-%s" (include "losus.base" (index . 0)) (index . 1) -}}
{{- if gt (len $name) 52 -}}
{{- printf "%s-%s" (trunc 43 $name | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are found; they never change from one version to the next. */}}
{{- define "losus.selector" -}}
app.kubernetes.io/name: losus-adapter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "losus.labels" -}}
{{ include "losus.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Give the image: by digest where there is one. */}}
{{- define "losus.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
