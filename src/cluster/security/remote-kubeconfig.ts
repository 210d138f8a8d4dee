/** Services outside the cluster as upstream's flags name them: a kubeconfig whose current context is the service. */

import { isRecord } from '../../base/is-record.ts'
import type { Remote } from '../../server/outbound/remote.ts'
import { besides, decoded, invalid, read } from './config-document.ts'

/** Throws `ConfigError`. Files that it names are read now. */
export async function readRemote(path: string): Promise<Remote> {
  const root = decoded(await read(path), path)
  if (!isRecord(root)) throw invalid(path, ['a kubeconfig is a map, this is not'])
  const { 'current-context': current } = root
  const context = entryOf(root, 'contexts', 'context', current)
  const cluster = context && entryOf(root, 'clusters', 'cluster', context.cluster)
  const user = (context && entryOf(root, 'users', 'user', context.user)) ?? {}
  if (!cluster || typeof cluster.server !== 'string' || !URL.canParse(cluster.server))
    throw invalid(path, [`current-context ${JSON.stringify(current ?? '')} does not lead to the URL of a server`])
  const embedded = (holder: Fields, name: string) => textOf(path, holder, name)
  return {
    url: cluster.server,
    ca: await embedded(cluster, 'certificate-authority'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    serverName: stringOf(cluster['tls-server-name']),
    certificate: await embedded(user, 'client-certificate'),
    key: await embedded(user, 'client-key'),
    authorization: await authorizationOf(path, user),
  }
}

type Fields = Readonly<Record<string, unknown>>

function entryOf(root: Fields, list: string, key: string, name: unknown): Fields | undefined {
  const entries = root[list]
  const found = Array.isArray(entries) ? entries.filter(isRecord).find((entry) => entry.name === name) : undefined
  const value = found?.[key]
  return isRecord(value) ? value : undefined
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `NAME-data` in base64, or the file that `NAME` names. */
async function textOf(path: string, holder: Fields, name: string): Promise<string | undefined> {
  const data = stringOf(holder[`${name}-data`])
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = stringOf(holder[name])
  return file === undefined ? undefined : read(besides(path, file))
}

async function authorizationOf(path: string, user: Fields): Promise<string | undefined> {
  const file = stringOf(user.tokenFile)
  const token = file === undefined ? stringOf(user.token) : (await read(besides(path, file))).trim()
  if (token !== undefined) return `Bearer ${token}`
  const name = stringOf(user.username)
  return name === undefined
    ? undefined
    : `Basic ${Buffer.from(`${name}:${stringOf(user.password) ?? ''}`).toString('base64')}`
}
