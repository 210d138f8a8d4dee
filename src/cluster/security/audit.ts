/** The audit log of a cluster, put together: the policy, from a file or the usual one, and where events are kept. */

import type { Metrics } from '../../base/metrics.ts'
import { type Auditing, counted, createAuditMetrics } from '../../server/audit/auditing.ts'
import type { AuditSink } from '../../server/audit/event.ts'
import { openLogFile, type SinkParts } from '../../server/audit/log-file.ts'
import { type AuditPolicy, auditPolicy, policyErrors } from '../../server/audit/policy.ts'
import { sinkUnion } from '../../server/audit/sinks.ts'
import { streamLog } from '../../server/audit/stream-log.ts'
import { batchingWebhook, blockingWebhook } from '../../server/audit/webhook.ts'
import { createRemoteCaller } from '../../server/outbound/remote.ts'
import type { ClusterConfig } from '../config.ts'
import { checkAuditPolicy } from '../documents/checks.gen.ts'
import type { Environment } from '../environment.ts'
import { USUAL_AUDIT_POLICY } from './audit-policy.ts'
import { invalid, readDocument, refuseInvalid } from './config-document.ts'
import { readRemote } from './remote-kubeconfig.ts'
import { type AuditLogSettings, type AuditWebhookSettings, auditLogPath } from './settings.ts'

export type Audit = Auditing & AsyncDisposable

/** Undefined: the cluster has none. Throws `ConfigError`. */
export async function openAudit(
  { security, storage, directory }: Pick<ClusterConfig, 'security' | 'storage' | 'directory'>,
  { clock, random, log }: Pick<Environment, 'clock' | 'random' | 'log'>,
  registry: Metrics,
): Promise<Audit | undefined> {
  const { enabled, policy: policyPath, log: logSettings, webhook } = security.audit ?? {}
  const isConfigured = logSettings !== undefined || webhook !== undefined || policyPath !== undefined
  if (!(enabled ?? (isConfigured || storage === 'level'))) return undefined
  const policy = policyPath === undefined ? USUAL_AUDIT_POLICY : await readPolicy(policyPath)
  const metrics = createAuditMetrics(registry)
  const parts = { clock, random, log: log.child({ component: 'audit' }), metrics }
  // Who names a webhook and no file wants no file.
  const wantsLog = logSettings !== undefined || webhook === undefined
  const sink = sinkUnion([
    ...(webhook ? [await openWebhook(webhook, parts)] : []),
    ...(wantsLog ? [await openLog(auditLogPath(security.audit, directory), logSettings, parts)] : []),
  ])
  const decide = counted(auditPolicy(policy), metrics)
  return { decide, sink, metrics, clock, log: parts.log, [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose]() }
}

/** Of a file, where nobody says more: what a cluster on somebody's machine may take. */
function openLog(path: string, settings: AuditLogSettings = {}, parts: SinkParts): Promise<AuditSink> | AuditSink {
  const { maxSize = 10, maxBackups = 5, maxAgeDays = 30 } = settings
  return path === '-' ? streamLog(process.stdout, parts) : openLogFile({ path, maxSize, maxBackups, maxAgeDays }, parts)
}

async function openWebhook(
  { kubeconfig, mode = 'batch' }: AuditWebhookSettings,
  parts: SinkParts & Pick<Environment, 'random'>,
): Promise<AuditSink> {
  const receiver = createRemoteCaller(await readRemote(kubeconfig), parts)
  if (mode === 'batch') return batchingWebhook({ ...parts, receiver })
  return blockingWebhook({ ...parts, receiver }, mode === 'blocking-strict')
}

async function readPolicy(path: string): Promise<AuditPolicy> {
  const policy = await readDocument<AuditPolicy>(path, checkAuditPolicy)
  refuseInvalid(path, policyErrors(policy))
  if (!policy.rules?.length) throw invalid(path, ['loaded illegal policy with 0 rules'])
  return policy
}
