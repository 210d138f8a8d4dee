/**
 * An `EncryptionConfiguration` of apiserver.config.k8s.io: which resources are encrypted at rest, and how. What is
 * refused, and in which words, is upstream's; key management services (`kms`) are not there.
 */

import type { Random } from '../../base/random.ts'
import { type FieldError, FieldPath, invalidField, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { groupPrefix, REGISTRY_PREFIX, resourcePrefix } from '../../server/registry/object-key.ts'
import { aesCbc, aesGcm } from '../../storage/encryption/ciphers.ts'
import type { Encryption } from '../../storage/encryption/encrypted-storage.ts'
import { secretbox } from '../../storage/encryption/secretbox.ts'
import {
  byPrefix,
  type Measure,
  type PrefixedTransformer,
  plain,
  type Transformer,
} from '../../storage/encryption/transformers.ts'
import { checkEncryptionConfiguration } from '../documents/checks.gen.ts'
import { invalid, readDocument, refuseInvalid } from './config-document.ts'

interface EncryptionKey {
  readonly name?: string | undefined
  /** In base64. */
  readonly secret?: string | undefined
}

interface Keys {
  readonly keys?: readonly EncryptionKey[] | undefined
}

/** One field is set. */
interface Provider {
  readonly aesgcm?: Keys | undefined
  readonly aescbc?: Keys | undefined
  readonly secretbox?: Keys | undefined
  readonly identity?: object | undefined
  readonly kms?: object | undefined
}

export interface EncryptionRule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` for the core group, `*.*`. */
  readonly resources?: readonly string[] | undefined
  /** The first one writes, all read. */
  readonly providers?: readonly Provider[] | undefined
}

interface CipherParts {
  readonly random: Random
  readonly measure?: Measure | undefined
}

interface EncryptionConfiguration {
  readonly resources?: readonly EncryptionRule[] | undefined
}

/** What the file says. Throws `ConfigError`. */
export async function readEncryption(path: string, parts: CipherParts): Promise<Encryption> {
  const { resources = [] } = await readDocument<EncryptionConfiguration>(path, checkEncryptionConfiguration)
  refuseInvalid(path, errorsOf(resources))
  const masked = maskedRule(resources)
  if (masked !== undefined) throw invalid(path, [masked])
  return encryptionOf(resources, parts)
}

/** Of rules that were checked. */
export function encryptionOf(rules: readonly EncryptionRule[], parts: CipherParts): Encryption {
  const providers = new Map<string, PrefixedTransformer[]>()
  for (const rule of rules) {
    for (const resource of rule.resources ?? []) {
      const prefix = prefixOf(groupResource(resource))
      const own = (rule.providers ?? []).map((one) => transformerOf(one, parts))
      providers.set(prefix, [...(providers.get(prefix) ?? []), ...own])
    }
  }
  const byLength = [...providers]
    .sort(([left], [right]) => right.length - left.length)
    .map(([prefix, own]) => ({ prefix, transformer: byPrefix(own, 'no matching prefix found', parts.measure) }))
  return { transformerOf: (key) => byLength.find(({ prefix }) => key.startsWith(prefix))?.transformer ?? IDENTITY }
}

/** How upstream's encrypted values begin. */
const ENCRYPTED = 'k8s:enc:'

const IDENTITY = plain(ENCRYPTED, 'identity transformer tried to read encrypted data')

function transformerOf({ aesgcm, aescbc, secretbox: box }: Provider, parts: CipherParts): PrefixedTransformer {
  if (aesgcm) return withKeys('aesgcm', aesgcm, aesGcm, parts)
  if (aescbc) return withKeys('aescbc', aescbc, aesCbc, parts)
  if (box) return withKeys('secretbox', box, secretbox, parts)
  return { prefix: '', transformer: IDENTITY }
}

function withKeys(
  name: string,
  { keys: named = [] }: Keys,
  cipher: (secret: Uint8Array, random: Random) => Transformer,
  { random, measure }: CipherParts,
): PrefixedTransformer {
  const choices = named.map((key) => ({
    prefix: `${key.name}:`,
    transformer: cipher(Buffer.from(key.secret ?? '', 'base64'), random),
  }))
  const family = name === 'secretbox' ? 'Secretbox' : 'AES'
  const unknown = `no matching key was found for the provided ${family} transformer`
  return { prefix: `${ENCRYPTED}${name}:v1:`, transformer: byPrefix(choices, unknown, measure) }
}

interface GroupResource {
  readonly group: string
  readonly resource: string
}

function groupResource(name: string): GroupResource {
  const [resource = '', ...group] = name.split('.')
  return { resource, group: group.join('.') }
}

function prefixOf({ group, resource }: GroupResource): string {
  if (group === '*') return REGISTRY_PREFIX
  return resource === '*' ? groupPrefix(group) : resourcePrefix({ group, resource })
}

/** A rule behind one that takes all it could take. */
function maskedRule(rules: readonly EncryptionRule[]): string | undefined {
  const seen = new Set<string>()
  for (const name of rules.flatMap(({ resources = [] }) => resources)) {
    const { group } = groupResource(name)
    const ofGroup = group === '' ? '*.' : `*.${group}`
    const masking = [ofGroup, '*.*'].find((wide) => seen.has(wide))
    if (masking !== undefined) return `resource "${name}" is masked by earlier rule "${masking}"`
    seen.add(name)
  }
  return undefined
}

const ROOT = new FieldPath('resources')

function errorsOf(rules: readonly EncryptionRule[]): readonly FieldError[] {
  if (rules.length === 0) return [atLeastOne(ROOT, ROOT.text)]
  return rules.flatMap(({ resources = [], providers = [] }, index) => {
    const names = ROOT.index(index).child('resources')
    const path = ROOT.index(index).child('providers')
    return [
      ...(resources.length === 0 ? [atLeastOne(names, names.text)] : []),
      ...overlapErrors(resources, names),
      ...resources.flatMap((name, position) => nameErrors(name, names.index(position))),
      ...(providers.length === 0 ? [atLeastOne(path, path.text)] : []),
      ...providers.flatMap((one, position) => providerErrors(one, path.index(position))),
    ]
  })
}

const atLeastOne = (path: FieldPath, what: string) => required(path, `at least one ${what} is required`)

function overlapErrors(names: readonly string[], path: FieldPath): readonly FieldError[] {
  const isWide = (name: string) => groupResource(name).resource === '*'
  const groups = (others: readonly string[]) => others.map((name) => groupResource(name).group)
  const different = [...new Set(names)]
  const overlaps =
    different.length > 1 &&
    (different.includes('*.*') ||
      different.some(
        (name, index) => isWide(name) && groups(different.toSpliced(index, 1)).includes(groupResource(name).group),
      ))
  const duplicate = 'the same resource cannot be specified multiple times'
  const overlap =
    "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked"
  return [
    ...(different.length < names.length ? [invalidValue(path, names, duplicate)] : []),
    ...(overlaps ? [invalidValue(path, names, overlap)] : []),
  ]
}

const WITHOUT_API = ['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations']

function nameErrors(name: string, path: FieldPath): readonly FieldError[] {
  const { group, resource } = groupResource(name)
  const detail = () => {
    if (name.toLowerCase() !== name) return 'resource name should not contain capital letters'
    if (name === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
    if (WITHOUT_API.includes(name)) return 'resources which do not have REST API/s cannot be encrypted'
    if (group === 'events.k8s.io')
      return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file"
    if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption"
    if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported'
    return undefined
  }
  const found = detail()
  return found === undefined ? [] : [invalidValue(path, name, found)]
}

const AES_KEY_BYTES = [16, 24, 32]
const SECRETBOX_KEY_BYTES = [32]

/** Values are left out of the messages: they are keys. */
function providerErrors(one: Provider, path: FieldPath): readonly FieldError[] {
  const { aesgcm, aescbc, secretbox: box } = one
  const given = Object.values(one).filter((value) => value !== undefined).length
  if (given === 0)
    return [
      invalidField(
        path,
        'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
      ),
    ]
  if (given > 1)
    return [
      invalidField(
        path,
        'more than one provider specified in a single element, should split into different list elements',
      ),
    ]
  if (one.kms) return [invalidField(path.child('kms'), 'key management services are not supported by t8s')]
  return [
    ...(aesgcm ? keysErrors(aesgcm, path.child('aesgcm'), AES_KEY_BYTES) : []),
    ...(aescbc ? keysErrors(aescbc, path.child('aescbc'), AES_KEY_BYTES) : []),
    ...(box ? keysErrors(box, path.child('secretbox'), SECRETBOX_KEY_BYTES) : []),
  ]
}

function keysErrors({ keys: named = [] }: Keys, path: FieldPath, lengths: readonly number[]): readonly FieldError[] {
  const place = path.child('keys')
  if (named.length === 0) return [atLeastOne(place, 'keys')]
  return named.flatMap((key, index) => keyErrors(key, place.index(index), lengths))
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function keyErrors({ name = '', secret = '' }: EncryptionKey, path: FieldPath, lengths: readonly number[]) {
  const named = name === '' ? [required(path.child('name'), 'name is a mandatory field for a key')] : []
  const place = path.child('secret')
  if (secret === '') return [...named, required(place, 'secret is a mandatory field for a key')]
  if (!BASE64.test(secret.replace(/[\r\n]/g, '')))
    return [...named, invalidValue(place, 'REDACTED', 'secrets must be base64 encoded')]
  const { length } = Buffer.from(secret, 'base64')
  if (lengths.includes(length)) return named
  const detail = `secret is not of the expected length, got ${length}, expected one of [${lengths.join(' ')}]`
  return [...named, invalidValue(place, 'REDACTED', detail)]
}
