{{- define "settings.name" -}}
{{ .Values.name | default .Release.Name }}
{{- end }}
