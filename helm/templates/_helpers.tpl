{{/* Names, labels, and what every container here has in common. */}}
{{- define "tourniquet.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end }}

{{/* Of one part: (list $ "bot"). */}}
{{- define "tourniquet.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "tourniquet.labels" -}}
{{ include "tourniquet.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{/* ClusterRoles and their bindings are the cluster's: the namespace keeps two installations apart. */}}
{{- define "tourniquet.clusterName" -}}
{{ printf "%s-%s" .Release.Namespace (include "tourniquet.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The restricted Pod Security level. */}}
{{- define "tourniquet.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "tourniquet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* One variable out of existingSecret: (list $ "NAME"). */}}
{{- define "tourniquet.fromSecret" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ (index . 0).Values.existingSecret }}
      key: {{ index . 1 }}
{{- end }}

{{- define "tourniquet.commonEnv" -}}
- name: TOURNIQUET_CONFIG
  value: /etc/tourniquet/config/tourniquet.yaml
{{- if .Values.policy }}
- name: TOURNIQUET_POLICY
  value: /etc/tourniquet/config/policy.yaml
{{- end }}
{{- if .Values.redis.bundled }}
- name: REDIS_URL
  value: redis://{{ include "tourniquet.name" . }}-redis:6379
{{- else }}
{{ include "tourniquet.fromSecret" (list . "REDIS_URL") }}
{{- end }}
{{ include "tourniquet.fromSecret" (list . "TOURNIQUET_KEY") }}
{{- if .Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.tracing.endpoint | quote }}
{{- if .Values.tracing.headersInSecret }}
{{ include "tourniquet.fromSecret" (list . "OTEL_EXPORTER_OTLP_HEADERS") }}
{{- end }}
{{- end }}
{{- end }}

{{/* Ports as the configuration says, or its defaults. */}}
{{- define "tourniquet.port" -}}
{{ dig "http" "port" 8080 .Values.config | int }}
{{- end }}
{{- define "tourniquet.healthPort" -}}
{{ dig "http" "healthPort" 8081 .Values.config | int }}
{{- end }}

{{- define "tourniquet.metricsPort" -}}
{{ dig "http" "metricsPort" 8082 .Values.config | int }}
{{- end }}

{{/* Alive and ready, at this port. A start is given two minutes, because Redis may be starting too. */}}
{{- define "tourniquet.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: {{ . }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: {{ . }} }
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{- define "tourniquet.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
