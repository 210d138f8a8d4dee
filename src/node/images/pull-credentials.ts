/** Credentials for registries from a pod's imagePullSecrets: pure. What cannot be read counts as not there. */

import type { Pod, Secret } from '../../apis/core/types.gen.ts'
import { registryOf } from '../runtime/image-reference.ts'
import type { PullCredentials } from './pull-image.ts'

/** Docker's own registry has several names in configuration files. */
const DOCKER_HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

export function pullCredentials(
  pod: Pod,
  image: string,
  secret: (namespace: string, name: string) => Secret | undefined,
): PullCredentials | undefined {
  const registry = hostOf(registryOf(image))
  for (const { name = '' } of pod.spec?.imagePullSecrets ?? []) {
    const found = secret(pod.metadata.namespace ?? '', name)
    for (const [server, entry] of Object.entries(found ? entriesOf(found) : {})) {
      const credentials = isFor(server, registry, image) ? readEntry(entry) : undefined
      if (credentials) return credentials
    }
  }
  return undefined
}

function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').split('/')[0] ?? ''
}

/** By server: the `auths` of a `.dockerconfigjson`, or the whole of the older `.dockercfg`. */
function entriesOf({ data }: Secret): Readonly<Record<string, unknown>> {
  const config = parsed(data?.['.dockerconfigjson'])
  return config ? objectOf(config.auths) : (parsed(data?.['.dockercfg']) ?? {})
}

/** A server may be a URL, and may name a path under which images must be. */
function isFor(server: string, registry: string, image: string): boolean {
  const host = hostOf(server)
  if (DOCKER_HUB.has(registry) && DOCKER_HUB.has(host)) return true
  const prefix = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
  return host === registry && (prefix === host || image === prefix || image.startsWith(`${prefix}/`))
}

function readEntry(entry: unknown): PullCredentials | undefined {
  const { username, password, auth } = objectOf(entry)
  if (typeof username === 'string' && typeof password === 'string') return { username, password }
  if (typeof auth !== 'string') return undefined
  const [user = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
  return rest.length === 0 ? undefined : { username: user, password: rest.join(':') }
}

function parsed(base64: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (base64 === undefined) return undefined
  try {
    return objectOf(JSON.parse(Buffer.from(base64, 'base64').toString('utf8')))
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}
