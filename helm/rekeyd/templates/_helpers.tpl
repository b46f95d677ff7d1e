{{- define "rekeyd.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a Service finds the pod by; it must never change. */}}
{{- define "rekeyd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rekeyd.labels" -}}
{{ include "rekeyd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "rekeyd.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "rekeyd.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: name the one that exists, since serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "rekeyd.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The pod has the API server's token only where something asks for it. */}}
{{- define "rekeyd.mountToken" -}}
{{- or .Values.serviceAccount.mountToken (gt (len .Values.rbac.namespaces) 0) -}}
{{- end -}}

{{/* shutdownTimeout in whole seconds, and 15 s for the process to end. The schema holds its form. */}}
{{- define "rekeyd.terminationGrace" -}}
{{- $text := .Values.config.shutdownTimeout -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexFind "[a-z]+$" $text -}}
{{- $seconds := 0 -}}
{{- if eq $unit "ms" -}}{{- $seconds = div (add $number 999) 1000 -}}
{{- else -}}{{- $seconds = mul $number (get (dict "s" 1 "m" 60 "h" 3600) $unit) -}}
{{- end -}}
{{- add $seconds 15 -}}
{{- end -}}

{{/* Whether an address is reached from inside of the pod alone: 'true', or nothing. */}}
{{- define "rekeyd.isLoopback" -}}
{{- if or (hasPrefix "127." .) (has . (list "localhost" "::1")) -}}true{{- end -}}
{{- end -}}

{{/* The port that health and metrics are asked on, by its name. */}}
{{- define "rekeyd.healthPort" -}}
{{- if .Values.config.http.health -}}health{{- else -}}http{{- end -}}
{{- end -}}

{{/* Helm drops a key that is null, but here null says 'off', which is not rekeyd's own default. */}}
{{- define "rekeyd.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if not (hasKey $config.http "socket") -}}
{{- $_ := set $config.http "socket" nil -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Refuses a secret in the clear, without printing it. Given: its key, and what stands there. */}}
{{- define "rekeyd.reference" -}}
{{- $value := index . 1 -}}
{{- if and (kindIs "string" $value) $value (not (regexMatch "^\\$\\{[^}]+\\}$" $value)) -}}
{{- fail (printf "%s: a ConfigMap is no place for a secret. Refer to one: ${file:/secrets/NAME} with secretFiles, or ${NAME} with secretEnv" (index . 0)) -}}
{{- end -}}
{{- end -}}
