{{- define "understudy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "understudy.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "understudy.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "understudy.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "understudy.serviceAccountName" -}}
{{- default (include "understudy.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{/* What the operator finds its own replicas by: the same for every release. */}}
{{- define "understudy.selectorLabels" -}}
app.kubernetes.io/name: understudy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "understudy.labels" -}}
{{ include "understudy.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: understudy
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "understudy.image" -}}
{{- $repository := required "image.repository is needed: push the image of the Dockerfile to a registry of yours and name it, as in --set image.repository=registry.example/understudy" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Refuses what the schema can't: the order of the three times. */}}
{{- define "understudy.checkLeaderElection" -}}
{{- with .Values.leaderElection }}
{{- if not (and (lt (int .retryPeriodSeconds) (int .renewDeadlineSeconds)) (lt (int .renewDeadlineSeconds) (int .leaseDurationSeconds))) }}
{{- fail (printf "leaderElection: retryPeriodSeconds (%v) < renewDeadlineSeconds (%v) < leaseDurationSeconds (%v) must hold, or two replicas could lead at once" .retryPeriodSeconds .renewDeadlineSeconds .leaseDurationSeconds) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
What the operator may do in a namespace with recorders. No wildcard, no escalate and no bind: Kubernetes lets it write
a recorder's Role only because it holds the same rights itself, so it can never hand on more than this list. The rights
marked "handed on" are there for that alone.
*/}}
{{- define "understudy.recorderNamespaceRules" -}}
- apiGroups: [understudy.dev]
  resources: [recordingservers, failoverpools, cameraassignments]
  verbs: [get, list, watch]
- apiGroups: [understudy.dev]
  resources: [backups]
  # "delete": old ones of its own making (spec.backup.retain).
  verbs: [get, list, watch, create, delete]
- apiGroups: [understudy.dev]
  resources: [recorderreports]
  verbs: [get, list, watch, create, patch]
- apiGroups: [understudy.dev]
  resources: [recordingservers/status, failoverpools/status, cameraassignments/status, backups/status]
  verbs: [get, update, patch]
# Handed on: each recorder writes its own report.
- apiGroups: [understudy.dev]
  resources: [recorderreports/status]
  verbs: [get, update, patch]
# Owner references that block deletion, where the cluster enforces permission for them.
- apiGroups: [understudy.dev]
  resources: [recordingservers/finalizers, failoverpools/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
# Footage: never deleted.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
# Baselines: create, read back, delete when their Backup goes. "get" is also handed on, for the credentials of cameras.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, delete]
# A recorder's heartbeat; "update" is handed on.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  # "list": why a volume of a suspected recorder's pod can't be mounted; at most twice for one pod.
  verbs: [create, patch, list]
{{- end }}
