{{/*
What a schema cannot say: parts of the values that have to fit together. All faults are told at once.
*/}}
{{- define "losus.checks" -}}
{{- $faults := list -}}
{{- $settings := .Values.settings -}}
{{- $mounts := dict -}}
{{- range .Values.mounts -}}
{{- if hasKey $mounts .name -}}
{{- $faults = append $faults (printf "mounts: %s is there twice" .name) -}}
{{- end -}}
{{- $_ := set $mounts .name . -}}
{{- end -}}
{{- range regexFindAll "\"/run/secrets/[^/\"]+" (toRawJson $settings) -1 | uniq -}}
{{- $name := base . -}}
{{- if not (hasKey $mounts $name) -}}
{{- $faults = append $faults (printf "mounts: settings name files of /run/secrets/%s, and no mount is called so" $name) -}}
{{- end -}}
{{- end -}}
{{- $owner := .Values.secrets.database.owner -}}
{{- range $login, $secret := .Values.secrets.database -}}
{{- if and (ne $login "owner") (eq $secret.name $owner.name) (eq $secret.key $owner.key) -}}
{{- $faults = append $faults (printf "secrets.database: %s logs in as the owner of the tables, who may change what was issued" $login) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.settle.enabled (not $settings.settle_from) -}}
{{- $faults = append $faults "settings.settle_from: the first month that is settled here; what was settled elsewhere must not be invoiced again (or settle.enabled: false)" -}}
{{- end -}}
{{- if and .Values.strimzi.enabled (ne (dig "kafka" "make_topics" true $settings) false) -}}
{{- $faults = append $faults "settings.kafka.make_topics: false, since Strimzi makes the topics (strimzi.enabled)" -}}
{{- end -}}
{{- if and .Values.strimzi.enabled .Values.topics.enabled -}}
{{- $faults = append $faults "topics.enabled: false, since Strimzi makes the topics (strimzi.enabled)" -}}
{{- end -}}
{{- with .Values.ingress -}}
{{- if .enabled -}}
{{- if not .tlsSecret -}}
{{- $faults = append $faults "ingress.tlsSecret: the host's certificate; nothing comes in without TLS" -}}
{{- end -}}
{{- $host := (urlParse $settings.base_url).hostname -}}
{{- if ne .host $host -}}
{{- $faults = append $faults (printf "ingress.host: %s, as in settings.base_url" $host) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (int .Values.api.autoscaling.minReplicas) (int .Values.api.autoscaling.maxReplicas) -}}
{{- $faults = append $faults "api.autoscaling.minReplicas: not more than maxReplicas" -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- $faults = concat $faults (include "losus.checks.network" . | fromYamlArray) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n- %s" (join "\n- " $faults)) -}}
{{- end -}}
{{- end -}}

{{/* Ways out and in that the settings need and no policy opens, as a YAML list. */}}
{{- define "losus.checks.network" -}}
{{- $settings := .Values.settings -}}
{{- $asks := list -}}
{{- if contains "://" (dig "staff" "tokens" "jwks" "" $settings) -}}
{{- $asks = append $asks "staff.tokens.jwks" -}}
{{- end -}}
{{- range $name, $source := $settings.sources -}}
{{- if $source.server -}}
{{- $asks = append $asks (printf "sources.%s.server" $name) -}}
{{- end -}}
{{- if contains "://" (dig "credentials" "tokens" "jwks" "" $source) -}}
{{- $asks = append $asks (printf "sources.%s.credentials.tokens.jwks" $name) -}}
{{- end -}}
{{- end -}}
{{- $faults := list -}}
{{- range $part := list "database" "kafka" -}}
{{- if not (index $.Values.networkPolicy $part).to -}}
{{- $faults = append $faults (printf "networkPolicy.%s.to: where it is; everything else is closed" $part) -}}
{{- end -}}
{{- end -}}
{{- if and $asks (not .Values.networkPolicy.https.to) -}}
{{- $faults = append $faults (printf "networkPolicy.https.to: where %s is; everything else is closed" (join ", " $asks)) -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.networkPolicy.ingressController) -}}
{{- $faults = append $faults "networkPolicy.ingressController: who may come in; everything else is closed" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.networkPolicy.monitoring) -}}
{{- $faults = append $faults "networkPolicy.monitoring: who may ask for /metrics; everything else is closed" -}}
{{- end -}}
{{- toYaml $faults -}}
{{- end -}}
