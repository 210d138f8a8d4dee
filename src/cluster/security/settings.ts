/**
 * What `spec.security` of a Cluster document says: which of upstream's configuration files the API server reads, and
 * what of its own defaults is turned off. Without any of it: docs/security.md.
 */

import { dirname, join, resolve } from 'node:path'

/** Paths are absolute once a document has been read. Files are in upstream's formats. */
export interface SecuritySettings {
  readonly authentication?: AuthenticationSettings | undefined
  readonly authorization?: AuthorizationSettings | undefined
  readonly audit?: AuditSettings | undefined
  readonly encryption?: EncryptionSettings | undefined
}

export interface AuthenticationSettings {
  /** An `AuthenticationConfiguration` of apiserver.config.k8s.io: issuers of JSON web tokens, anonymous callers. */
  readonly config?: string | undefined
  /** Lines of `token,user,uid,"group,group"`. */
  readonly tokens?: string | undefined
  readonly webhook?: WebhookSettings | undefined
}

export interface AuthorizationSettings {
  /** An `AuthorizationConfiguration` of apiserver.config.k8s.io, in place of Node and RBAC. */
  readonly config?: string | undefined
}

export interface AuditSettings {
  /** Absent: true for clusters whose data is on disk. */
  readonly enabled?: boolean | undefined
  /** A `Policy` of audit.k8s.io. Absent: metadata of what people and workloads do. */
  readonly policy?: string | undefined
  readonly log?: AuditLogSettings | undefined
  readonly webhook?: AuditWebhookSettings | undefined
}

export interface AuditLogSettings {
  /** A file, or `-` for the standard output. Absent: `audit.log` in the cluster's folder. */
  readonly path?: string | undefined
  readonly maxAgeDays?: number | undefined
  readonly maxBackups?: number | undefined
  /** Megabytes of a file before it is rotated. */
  readonly maxSize?: number | undefined
}

/** The file that events are written to, or `-`, in a cluster that writes them to one. */
export function auditLogPath(audit: AuditSettings | undefined, directory: string): string {
  return audit?.log?.path ?? join(directory, 'audit.log')
}

export interface AuditWebhookSettings {
  /** Where events go, as a kubeconfig. */
  readonly kubeconfig: string
  readonly mode?: 'batch' | 'blocking' | 'blocking-strict' | undefined
}

export interface WebhookSettings {
  /** Whom to ask, as a kubeconfig. */
  readonly kubeconfig: string
  readonly version?: 'v1' | 'v1beta1' | undefined
  /** Seconds that an answer is kept; 0: not at all. */
  readonly cacheSeconds?: number | undefined
}

export interface EncryptionSettings {
  /** Absent: true for clusters whose data is on disk. */
  readonly enabled?: boolean | undefined
  /** An `EncryptionConfiguration` of apiserver.config.k8s.io. Absent: secrets, with a key in the cluster's folder. */
  readonly config?: string | undefined
}

/** Names of fields that are paths. `-` stays as it is. */
const PATHS: ReadonlySet<string> = new Set(['config', 'tokens', 'kubeconfig', 'policy', 'path'])

/** Paths that are relative are so to the document that names them. */
export function resolvePaths(settings: SecuritySettings, document: string): SecuritySettings {
  const folder = document === '-' ? resolve() : dirname(resolve(document))
  return resolved(settings, folder)
}

function resolved<T extends object>(settings: T, folder: string): T {
  const entries = Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'object' && value !== null) return [name, resolved(value, folder)]
    const isPath = PATHS.has(name) && typeof value === 'string' && value !== '-'
    return [name, isPath ? resolve(folder, value) : value]
  })
  return Object.fromEntries(entries)
}
