/**
 * Kubeconfig files as text in, text out: entries are added, replaced and removed in the YAML tree, so comments, order
 * and everything that belongs to others stay as they are. Reads and writes nothing.
 */

import { createPrivateKey } from 'node:crypto'
import { type Document, isMap, isSeq, parse, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml'

/** A cluster, a user and a context of one name. */
export interface KubeconfigEntry {
  readonly name: string
  /** `https://host:port`. */
  readonly server: string
  /** PEM. */
  readonly certificateAuthority: string
  readonly clientCertificate: string
  readonly clientKey: string
}

/** The text is no kubeconfig. The message is one line for people. */
export class KubeconfigInvalid extends Error {
  override readonly name = 'KubeconfigInvalid'
}

const LISTS = ['clusters', 'contexts', 'users'] as const
type List = (typeof LISTS)[number]

/** A file that holds this entry and nothing else. */
export function kubeconfigText(entry: KubeconfigEntry): string {
  const { cluster, context, user } = valuesOf(entry)
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ cluster, name: entry.name }],
      contexts: [{ context, name: entry.name }],
      'current-context': entry.name,
      users: [{ name: entry.name, user }],
    },
    { lineWidth: 0 },
  )
}

/** The text with this entry in place of any other of its name. An empty text becomes a whole file. */
export function withEntry(text: string, entry: KubeconfigEntry): string {
  const document = documentOf(text)
  const { cluster, context, user } = valuesOf(entry)
  putEntry(document, 'clusters', entry.name, { cluster, name: entry.name })
  putEntry(document, 'contexts', entry.name, { context, name: entry.name })
  putEntry(document, 'users', entry.name, { name: entry.name, user })
  return textOf(document)
}

/** The text without the cluster, the user and the context of this name; its current context is left as it is. */
export function withoutEntry(text: string, name: string): string {
  const document = documentOf(text)
  for (const list of LISTS) {
    const entries = listOf(document, list)
    if (entries) entries.items = entries.items.filter((item) => nameOf(item) !== name)
  }
  return textOf(document)
}

export function withCurrentContext(text: string, name: string): string {
  const document = documentOf(text)
  document.set('current-context', name)
  return textOf(document)
}

/** Undefined: none is set. */
export function currentContextOf(text: string): string | undefined {
  const value = documentOf(text).get('current-context')
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Whether the text has a cluster, a user or a context of this name. */
export function hasEntry(text: string, name: string): boolean {
  const document = documentOf(text)
  return LISTS.some((list) => listOf(document, list)?.items.some((item) => nameOf(item) === name))
}

/** The entry that the text's context of this name, or its current one, puts together; undefined: not all is embedded. */
export function entryOf(text: string, name = currentContextOf(text)): KubeconfigEntry | undefined {
  const root = recordOf(parse(text))
  const find = (list: List, key: string, wanted: unknown) => {
    const entries = root[list]
    const found = Array.isArray(entries) ? entries.map(recordOf).find((entry) => entry.name === wanted) : undefined
    return recordOf(found?.[key])
  }
  const context = find('contexts', 'context', name)
  const cluster = find('clusters', 'cluster', context.cluster)
  const user = find('users', 'user', context.user)
  const [server, authority] = [cluster.server, cluster['certificate-authority-data']]
  const [certificate, key] = [user['client-certificate-data'], user['client-key-data']]
  if (typeof name !== 'string' || typeof server !== 'string') return undefined
  if (typeof authority !== 'string' || typeof certificate !== 'string' || typeof key !== 'string') return undefined
  return {
    name,
    server,
    certificateAuthority: decoded(authority),
    clientCertificate: decoded(certificate),
    clientKey: decoded(key),
  }
}

function valuesOf({ name, server, certificateAuthority, clientCertificate, clientKey }: KubeconfigEntry) {
  const key = encoded(readableKey(clientKey))
  return {
    cluster: { 'certificate-authority-data': encoded(certificateAuthority), server },
    context: { cluster: name, user: name },
    user: { 'client-certificate-data': encoded(clientCertificate), 'client-key-data': key },
  }
}

/** fabric8 takes every key in PKCS#8 for RSA. An elliptic one, in the form of its own, is read by every client. */
function readableKey(pem: string): string {
  if (!pem.startsWith('-----BEGIN PRIVATE KEY-----')) return pem
  const key = createPrivateKey(pem)
  return key.asymmetricKeyType === 'ec' ? key.export({ type: 'sec1', format: 'pem' }).toString() : pem
}

function documentOf(text: string): Document {
  const document: Document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new KubeconfigInvalid(error.message.split('\n')[0] ?? error.message)
  if (document.contents === null) return withHeader(document)
  if (!isMap(document.contents)) throw new KubeconfigInvalid('a kubeconfig is a map, this is not')
  return document
}

/** Comments of a file that holds nothing else stay. */
function withHeader(document: Document): Document {
  document.contents = document.createNode({ apiVersion: 'v1', kind: 'Config' })
  return document
}

/** Undefined: absent or `null`, as kubectl writes empty lists. */
function listOf(document: Document, list: List): YAMLSeq | undefined {
  const found = document.get(list)
  if (found === undefined || found === null) return undefined
  if (!isSeq(found)) throw new KubeconfigInvalid(`${list} is not a list`)
  return found
}

function putEntry(document: Document, list: List, name: string, value: object): void {
  const entries = listOf(document, list)
  const node = document.createNode(value)
  if (!entries) {
    document.set(list, document.createNode([value]))
    return
  }
  entries.flow = false
  const index = entries.items.findIndex((item) => nameOf(item) === name)
  if (index < 0) entries.items.push(node)
  else entries.items[index] = node
}

function nameOf(item: unknown): unknown {
  return isMap(item) ? (item as YAMLMap).get('name') : undefined
}

function textOf(document: Document): string {
  return document.toString({ lineWidth: 0 })
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function encoded(pem: string): string {
  return Buffer.from(pem).toString('base64')
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
