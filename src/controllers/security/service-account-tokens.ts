/**
 * serviceaccount-token-controller: Secrets `kubernetes.io/service-account-token` get a token, the cluster's CA and their
 * namespace; those whose service account is gone go.
 */

import { secrets } from '../../apis/core/secret.ts'
import { serviceAccounts } from '../../apis/core/service-account.ts'
import type { Secret, ServiceAccount } from '../../apis/core/types.gen.ts'
import { undefinedIfNotFound } from '../../machinery/meta/api-error.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import type { Cache, ControllerParts, LoopController } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'

/** Answers with the token. */
export type IssueToken = (subject: {
  readonly namespace: string
  readonly secretName: string
  readonly serviceAccount: { readonly name: string; readonly uid: string }
}) => Promise<string>

export interface TokenSecretSettings {
  /** PEM. */
  readonly rootCa: string
  readonly issueToken: IssueToken
}

const SECRET_TYPE = 'kubernetes.io/service-account-token'
const NAME_ANNOTATION = 'kubernetes.io/service-account.name'
const UID_ANNOTATION = 'kubernetes.io/service-account.uid'
const WORKERS = 5

export function serviceAccountTokenController(settings: TokenSecretSettings): LoopController {
  return keyedLoop({
    name: 'serviceaccount-token-controller',
    definition: secrets,
    workers: WORKERS,
    isDue: (secret) => secret.type === SECRET_TYPE && accountName(secret) !== '' && !secret.metadata.deletionTimestamp,
    wakes: [{ definition: serviceAccounts, keysOf: secretsOf }],
    work: (parts, secret) => sync(parts, secret, settings),
  })
}

function accountName({ metadata }: Secret): string {
  return metadata.annotations?.[NAME_ANNOTATION] ?? ''
}

function secretsOf({ metadata }: ServiceAccount, cache: Cache) {
  const { namespace, name } = metadata
  return cache
    .list(secrets, namespace)
    .filter((secret) => secret.type === SECRET_TYPE && accountName(secret) === name)
    .map(keyOf)
}

async function sync({ client }: ControllerParts, secret: Secret, settings: TokenSecretSettings): Promise<void> {
  const { namespace, uid } = secret.metadata
  // Not from the cache: a Secret must not go because its account is not seen yet.
  const account = await client
    .of(serviceAccounts)
    .get({ namespace, name: accountName(secret) })
    .catch(undefinedIfNotFound)
  if (!account || !isOf(secret, account)) {
    await client.of(secrets).delete(keyOf(secret), { uid }).catch(undefinedIfNotFound)
    return
  }
  const complete = await completed(secret, account, settings)
  if (complete !== secret) await client.of(secrets).update(complete)
}

/** An account of the same name that was made anew is another. */
export function isOf({ metadata }: Secret, account: ServiceAccount): boolean {
  const uid = metadata.annotations?.[UID_ANNOTATION]
  return !uid || uid === account.metadata.uid
}

/** The same Secret when it has everything. */
export async function completed(
  secret: Secret,
  account: ServiceAccount,
  { rootCa, issueToken }: TokenSecretSettings,
): Promise<Secret> {
  const { metadata, data = {} } = secret
  const { namespace = '', name: secretName = '', annotations } = metadata
  const { name = '', uid = '' } = account.metadata
  const fixed = { 'ca.crt': base64(rootCa), namespace: base64(namespace) }
  const differs = fixed['ca.crt'] !== data['ca.crt'] || fixed.namespace !== data.namespace
  if (!differs && data.token && annotations?.[UID_ANNOTATION]) return secret
  const token = data.token || base64(await issueToken({ namespace, secretName, serviceAccount: { name, uid } }))
  const marked = { ...annotations, [NAME_ANNOTATION]: name, [UID_ANNOTATION]: uid }
  return { ...secret, metadata: { ...metadata, annotations: marked }, data: { ...data, ...fixed, token } }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
