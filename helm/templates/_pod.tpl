{{/*
The pod of a component: one image, one command, one login of the database, and what it reads.

Takes a dict: root; name, of the component (a label); values, those of the component; args of `losus`; login, the
key of secrets.database; settings (settings file is mounted), books (mappings and agreements are), pages (it
answers /healthz, /readyz, /metrics), ready (the path of readiness), restart (the policy), account.
*/}}

{{/* Labels and annotations of the pods. */}}
{{- define "losus.podMeta" -}}
{{- $root := .root -}}
labels:
  {{- include "losus.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ .name }}
  {{- if .source }}
  losus-adapter.se/source: {{ .source }}
  {{- end }}
  {{- if .pages }}
  losus-adapter.se/pages: "true"
  {{- end }}
  {{- with $root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  {{- if .settings }}
  checksum/settings: {{ include "losus.settings" $root | sha256sum }}
  {{- end }}
  {{- if .books }}
  checksum/mappings: {{ include "losus.mappings" $root | sha256sum }}
  checksum/agreements: {{ include "losus.agreements" $root | sha256sum }}
  {{- end }}
  {{- with merge (dict) (.values.annotations | default dict) $root.Values.pods.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  kubectl.kubernetes.io/default-container: losus
{{- end -}}

{{- define "losus.podSpec" -}}
{{- $root := .root -}}
{{- $pods := $root.Values.pods -}}
serviceAccountName: {{ .account | default (include "losus.name" (list $root "adapter")) }}
automountServiceAccountToken: false
# Otherwise Kubernetes would set LOSUS_… variables named after the services, which are the settings' own names.
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .spread }}
topologySpreadConstraints:
  {{- range $pods.topologySpread }}
  - topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    maxSkew: {{ .maxSkew }}
    labelSelector:
      matchLabels:
        {{- include "losus.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $.name }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 $pods.user }}
  runAsGroup: {{ int64 $pods.group }}
  fsGroup: {{ int64 $pods.group }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- if .restart }}
restartPolicy: {{ .restart }}
{{- end }}
terminationGracePeriodSeconds: {{ int64 .values.terminationGracePeriodSeconds }}
containers:
  - name: losus
    image: {{ include "losus.image" $root | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command: [losus]
    args: {{ toJson .args }}
    env:
      {{- include "losus.environment" . | nindent 6 }}
    {{- if .pages }}
    ports:
      - name: http
        containerPort: 8000
        protocol: TCP
    # Starting reads all mappings and builds the FHIR models: some seconds, on a busy node more.
    startupProbe:
      httpGet: {path: /healthz, port: http}
      periodSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: /healthz, port: http}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: {{ .ready | quote }}, port: http}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    {{- end }}
    {{- if .drain }}
    # The pod is taken off the service meanwhile, and what still comes by the old way is answered.
    lifecycle:
      preStop:
        sleep: {seconds: {{ int64 .drain }}}
    {{- end }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      {{- include "losus.volumeMounts" . | nindent 6 }}
volumes:
  {{- include "losus.volumes" . | nindent 2 }}
{{- end -}}

{{/* Give the environment: where things lie, and what the values add for all, for this one, in this order. */}}
{{- define "losus.environment" -}}
{{- $environment := dict "LOSUS_SECRETS" "/run/secrets/losus" "TMPDIR" "/tmp" "HOME" "/tmp" -}}
{{- if .settings -}}
{{- $_ := set $environment "LOSUS_SETTINGS" "/etc/losus/settings/settings.yaml" -}}
{{- end -}}
{{- if .books -}}
{{- $_ := set $environment "LOSUS_MAPPINGS" "/etc/losus/mappings" -}}
{{- $_ := set $environment "LOSUS_AGREEMENTS" "/etc/losus/agreements" -}}
{{- end -}}
{{- range $name, $value := mergeOverwrite $environment (deepCopy .root.Values.pods.environment) (deepCopy (.values.environment | default dict)) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "losus.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: secrets, mountPath: /run/secrets/losus, readOnly: true}
{{- if .settings }}
- {name: settings, mountPath: /etc/losus/settings, readOnly: true}
{{- end }}
{{- if .books }}
- {name: mappings, mountPath: /etc/losus/mappings, readOnly: true}
- {name: agreements, mountPath: /etc/losus/agreements, readOnly: true}
{{- end }}
{{- range .root.Values.mounts }}
{{- if has $.name .for }}
- {name: {{ printf "mount-%s" .name }}, mountPath: {{ printf "/run/secrets/%s" .name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{- define "losus.volumes" -}}
{{- $root := .root -}}
{{- $login := index $root.Values.secrets.database .login -}}
{{- $pseudonyms := $root.Values.secrets.pseudonyms -}}
- name: tmp
  emptyDir: {sizeLimit: {{ $root.Values.pods.tmpSizeLimit }}}
# Files that are named as the settings they hold: LOSUS_DATABASE and LOSUS_SECRET.
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ $login.name }}
          items:
            - {key: {{ $login.key | quote }}, path: losus_database}
      {{- if ne .login "owner" }}
      - secret:
          name: {{ $pseudonyms.name }}
          items:
            - {key: {{ $pseudonyms.key | quote }}, path: losus_secret}
      {{- end }}
{{- if .settings }}
- name: settings
  configMap:
    name: {{ include "losus.name" (list $root "settings") }}
{{- end }}
{{- if .books }}
- name: mappings
  configMap:
    name: {{ include "losus.name" (list $root "mappings") }}
    items:
      {{- range $key, $_ := include "losus.mappings" $root | fromYaml }}
      - {key: {{ $key | quote }}, path: {{ regexReplaceAll "^concepts[.]" $key "concepts/" | quote }}}
      {{- end }}
- name: agreements
  configMap:
    name: {{ include "losus.name" (list $root "agreements") }}
{{- end }}
{{- range $root.Values.mounts }}
{{- if has $.name .for }}
- name: {{ printf "mount-%s" .name }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
  {{- else }}
  configMap:
    name: {{ .configMap }}
  {{- end }}
    {{- with .items }}
    items:
      {{- range $key, $path := . }}
      - {key: {{ $key | quote }}, path: {{ $path | quote }}}
      {{- end }}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}
