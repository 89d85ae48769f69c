{{/*
What the pods read: settings, mappings, agreements. Each as YAML of a map, file name to text, so that the
ConfigMap and the checksum that restarts pods are made from the same.
*/}}

{{/*
The settings. JSON, which is YAML too: Helm holds whole numbers as floats, and writes ten million as the YAML
`1e+07`, which Python reads as a text.
*/}}
{{- define "losus.settings" -}}
settings.yaml: {{ toPrettyJson .Values.settings | quote }}
{{- end -}}

{{/* Mappings and their tables: shipped ones, and over them those of the values. Keys hold no slash. */}}
{{- define "losus.mappings" -}}
{{- $files := dict -}}
{{- if .Values.mappings.shipped -}}
{{- range $path, $_ := .Files.Glob "mappings/*.yaml" -}}
{{- $_ := set $files (base $path) ($.Files.Get $path) -}}
{{- end -}}
{{- range $path, $_ := .Files.Glob "mappings/concepts/*.json" -}}
{{- $_ := set $files (printf "concepts.%s" (base $path)) ($.Files.Get $path) -}}
{{- end -}}
{{- end -}}
{{- range $name, $text := .Values.mappings.files -}}
{{- $_ := set $files $name $text -}}
{{- end -}}
{{- range $name, $text := .Values.mappings.concepts -}}
{{- $_ := set $files (printf "concepts.%s" $name) $text -}}
{{- end -}}
{{- include "losus.fits" (list "mappings" $files) -}}
{{- toYaml $files -}}
{{- end -}}

{{/* Agreements, rates and the names of the municipalities: shipped ones, and over them those of the values. */}}
{{- define "losus.agreements" -}}
{{- $files := dict -}}
{{- if .Values.agreements.shipped -}}
{{- range $path, $_ := .Files.Glob "agreements/*.yaml" -}}
{{- $_ := set $files (base $path) ($.Files.Get $path) -}}
{{- end -}}
{{- end -}}
{{- range $name, $text := .Values.agreements.files -}}
{{- $_ := set $files $name $text -}}
{{- end -}}
{{- include "losus.fits" (list "agreements" $files) -}}
{{- toYaml $files -}}
{{- end -}}

{{/* Fail where there is nothing, or more than a ConfigMap holds (1 MiB): list of a name and files. */}}
{{- define "losus.fits" -}}
{{- $name := index . 0 -}}
{{- $size := 0 -}}
{{- range $key, $text := index . 1 -}}
{{- $size = add $size (len $key) (len $text) -}}
{{- end -}}
{{- if not $size -}}
{{- fail (printf "%s: there is none: set %s.shipped, or %s.files" $name $name $name) -}}
{{- end -}}
{{- if gt (int $size) 1000000 -}}
{{- fail (printf "%s: %d bytes, and a ConfigMap holds a million: take out what is not used" $name (int $size)) -}}
{{- end -}}
{{- end -}}
