{{/* What everything is named: the release, with the chart's name unless it holds it. 52 characters leave room for what follows. */}}
{{- define "concord.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What tells this release's pods from others. */}}
{{- define "concord.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "concord.labels" -}}
{{ include "concord.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The Secret that has the cookie, and the one that has the token. */}}
{{- define "concord.cookieSecret" -}}
{{- .Values.cookie.existingSecret | default (include "concord.fullname" .) -}}
{{- end -}}
{{- define "concord.tokenSecret" -}}
{{- .Values.auth.existingSecret | default (include "concord.fullname" .) -}}
{{- end -}}

{{/* A value as TOML. Numbers of a values file arrive as floating point. */}}
{{- define "concord.toml" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- int64 . -}}
{{- else -}}
{{- toJson . -}}
{{- end -}}
{{- end -}}

{{/* The file that every node reads: the chart's own settings over those of the values. */}}
{{- define "concord.configuration" -}}
{{- $own := dict
      "node" (dict "data_dir" "/data")
      "api" (dict "host" "0.0.0.0")
      "cluster" (dict "peer_host" "0.0.0.0" "cookie_file" "/etc/concord-secret/cookie" "discovery" "dns"
        "dns_name" (printf "%s-peers" (include "concord.fullname" .)) "expected_size" .Values.expectedSize)
      "backup" (dict "dir" "/backups")
      "audit_log" (dict "log_dir" "/audit") -}}
{{- if .Values.auth.enabled -}}
{{- $_ := set $own "auth" (dict "enabled" true "token_file" "/etc/concord-secret/token") -}}
{{- end -}}
{{- if .Values.tls.existingSecret -}}
{{- $_ := set $own.api "tls_cert" "/etc/concord-tls/tls.crt" -}}
{{- $_ := set $own.api "tls_key" "/etc/concord-tls/tls.key" -}}
{{- end -}}
{{- $all := mergeOverwrite (deepCopy .Values.settings) $own -}}
{{- range $section, $keys := $all }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "concord.toml" $value }}
{{- end }}
{{ end -}}
{{- end -}}

{{/* What can't work is said when the chart is rendered. */}}
{{- define "concord.check" -}}
{{- if not (or .Values.cookie.value .Values.cookie.existingSecret) -}}
{{- fail "set cookie.value, the secret of the members, or cookie.existingSecret, the name of a Secret that has it" -}}
{{- end -}}
{{- if and .Values.auth.enabled (not (or .Values.auth.token .Values.auth.existingSecret)) -}}
{{- fail "auth.enabled needs auth.token, the first admin token, or auth.existingSecret, the name of a Secret that has it" -}}
{{- end -}}
{{- if gt (int .Values.expectedSize) (int .Values.replicas) -}}
{{- fail (printf "expectedSize is %d, but there are %d replicas: the cluster would never form" (int .Values.expectedSize) (int .Values.replicas)) -}}
{{- end -}}
{{- end -}}
