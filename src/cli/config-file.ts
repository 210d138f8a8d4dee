/**
 * A `Cluster` document (t8s.dev/v1alpha1) as the flags it stands for. Flags that were given win over it. Fields that
 * nobody knows are errors.
 */

import { readFile } from 'node:fs/promises'
import { messageOf } from '../base/error-text.ts'
import { checkCluster } from '../cluster/documents/checks.gen.ts'
import { decodeStrictly, findingsIn } from '../cluster/documents/strict-document.ts'
import { resolvePaths, type SecuritySettings } from '../cluster/security/settings.ts'
import type { ClusterFlags } from './cluster-plan.ts'
import { Failure } from './failure.ts'

export interface ClusterDocument {
  readonly apiVersion: 't8s.dev/v1alpha1'
  readonly kind: 'Cluster'
  readonly metadata?: { readonly name?: string }
  readonly spec?: {
    readonly server?: { readonly port?: number; readonly http2?: boolean }
    readonly storage?: { readonly data?: 'memory' | 'disk' }
    readonly network?: {
      readonly podCidr?: string
      readonly serviceCidr?: string
      readonly nodeCidr?: string
      readonly domain?: string
    }
    readonly security?: SecuritySettings
    readonly nodes?: readonly { readonly count?: number; readonly runtime?: 'docker' | 'simulated' }[]
  }
}

export interface ConfigFile {
  readonly name: string | undefined
  readonly flags: ClusterFlags
}

/** `-` is the standard input. Throws `Failure` ConfigInvalid with every finding. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const document = checked(await parsed(path), path)
  const { security } = document.spec ?? {}
  const flags = { ...flagsOf(document), ...(security && { security: resolvePaths(security, path) }) }
  return { name: document.metadata?.name, flags }
}

async function parsed(path: string): Promise<unknown> {
  try {
    return decodeStrictly(await readFile(path === '-' ? '/dev/stdin' : path))
  } catch (error) {
    throw invalid(path, [messageOf(error)])
  }
}

function checked(document: unknown, path: string): ClusterDocument {
  const findings = findingsIn(document, checkCluster)
  if (findings.length > 0) throw invalid(path, findings)
  // What the schema describes.
  return document as ClusterDocument
}

function invalid(path: string, findings: readonly string[]): Failure {
  const from = path === '-' ? 'the standard input' : path
  return new Failure({
    reason: 'ConfigInvalid',
    message: `The configuration from ${from} cannot be used.`,
    detail: findings.join('\n  '),
    next: [['t8s up --help', 'the same as flags']],
  })
}

/** Nodes without a runtime are what `--runtime` says, or what this machine can do. */
export function flagsOf({ spec = {} }: ClusterDocument): ClusterFlags {
  const { server, storage, network, nodes } = spec
  const count = (wanted: 'docker' | 'simulated' | undefined) =>
    (nodes ?? []).filter(({ runtime }) => runtime === wanted).reduce((sum, { count: number = 1 }) => sum + number, 0)
  const docker = count('docker')
  const simulated = count('simulated')
  const others = docker + count(undefined)
  return {
    ...network,
    port: server?.port,
    ...(server?.http2 !== undefined && { http2: server.http2 }),
    data: storage?.data,
    nodes: nodes && (others > 0 || simulated === 0) ? others : undefined,
    simulated: simulated > 0 ? simulated : undefined,
    runtime: docker > 0 ? 'docker' : undefined,
  }
}

/** What was given on the command line wins. `auto` is what `--runtime` says when nobody did. */
export function withFlags<T extends ClusterFlags>(file: ClusterFlags, given: T): T {
  const runtime = given.runtime === 'auto' ? (file.runtime ?? given.runtime) : given.runtime
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { ...given, ...file, ...set, runtime }
}
