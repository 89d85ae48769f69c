{{/* A component that runs by the clock: the dict of the pod (see _pod.tpl); its values hold the schedule. */}}
{{- define "losus.cronjob" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "losus.name" (list .root .name) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "losus.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  schedule: {{ .values.schedule | quote }}
  timeZone: Europe/Stockholm
  suspend: {{ .values.suspend }}
  concurrencyPolicy: Forbid
  # Missed, since the cluster was away: made up for within this time, else by the next one.
  startingDeadlineSeconds: 21600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 5
  jobTemplate:
    metadata:
      labels:
        {{- include "losus.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: {{ int64 .values.activeDeadlineSeconds }}
      template:
        metadata:
          {{- include "losus.podMeta" . | nindent 10 }}
        spec:
          {{- include "losus.podSpec" . | nindent 10 }}
{{- end -}}
