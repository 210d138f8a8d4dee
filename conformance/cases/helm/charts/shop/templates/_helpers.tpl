{{/* The name of things that all namespaces share. */}}
{{- define "shop.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
