{{/* A Job around a release: a dictionary with `root`, `name`, `hooks`, `weight`, `policy` and `script`. */}}
{{- define "jobs.hook" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .root.Release.Name }}-{{ .name }}
  labels: {{- include "common.labels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hooks }}
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: {{ .policy }}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      serviceAccountName: {{ .root.Release.Name }}-hooks
      containers:
        - name: {{ .name }}
          image: {{ .root.Values.global.image }}
          command: [sh, -c, {{ .script | quote }}]
          securityContext: {{- include "common.securityContext" .root | nindent 12 }}
{{- end }}
