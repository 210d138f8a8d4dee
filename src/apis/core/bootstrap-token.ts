/**
 * Bootstrap tokens: Secrets `kube-system/bootstrap-token-<id>` whose bearer `<id>.<secret>` may join the cluster until
 * they expire. Here is how they are read; who takes them is the API server, who clears them away a controller.
 */

import { parseTime } from '../../machinery/meta/time.ts'
import type { Secret } from './types.gen.ts'

export const BOOTSTRAP_TOKEN_NAMESPACE = 'kube-system'
export const BOOTSTRAP_TOKEN_TYPE = 'bootstrap.kubernetes.io/token'
const NAME_PREFIX = 'bootstrap-token-'
const BEARER = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const ID = /^[a-z0-9]{6}$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const DEFAULT_GROUP = 'system:bootstrappers'

export interface BootstrapToken {
  readonly id: string
  readonly secret: string
  readonly authenticates: boolean
  readonly signs: boolean
  /** Undefined: it names groups that it may not. */
  readonly groups: readonly string[] | undefined
}

/** Undefined: not of this form. */
export function parseBootstrapBearer(token: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = BEARER.exec(token) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

export function bootstrapTokenName(id: string): string {
  return `${NAME_PREFIX}${id}`
}

/** Undefined: a Secret of another kind, or one whose name and contents do not agree. */
export function bootstrapTokenOf(object: Secret): BootstrapToken | undefined {
  const { name = '', namespace } = object.metadata
  if (object.type !== BOOTSTRAP_TOKEN_TYPE || namespace !== BOOTSTRAP_TOKEN_NAMESPACE) return undefined
  const id = textOf(object, 'token-id')
  const secret = textOf(object, 'token-secret')
  if (!ID.test(id) || name !== bootstrapTokenName(id) || secret === '') return undefined
  return {
    id,
    secret,
    authenticates: textOf(object, 'usage-bootstrap-authentication') === 'true',
    signs: textOf(object, 'usage-bootstrap-signing') === 'true',
    groups: groupsOf(textOf(object, 'auth-extra-groups')),
  }
}

/** When it ends; Infinity: never. What cannot be read has ended. */
export function bootstrapTokenEndMs(object: Secret): number {
  const expiration = textOf(object, 'expiration')
  return expiration === '' ? Number.POSITIVE_INFINITY : (parseTime(expiration) ?? Number.NEGATIVE_INFINITY)
}

function groupsOf(extra: string): readonly string[] | undefined {
  const groups = extra === '' ? [] : extra.split(',').map((group) => group.trim())
  return groups.every((group) => GROUP.test(group)) ? [...new Set([DEFAULT_GROUP, ...groups])] : undefined
}

function textOf({ data }: Secret, key: string): string {
  return data && Object.hasOwn(data, key) ? Buffer.from(data[key] ?? '', 'base64').toString('utf8') : ''
}
