/** Tokens of service accounts on request, bound to a pod, a secret or a node if the request says so. */

import { validateTokenRequest } from '../../../apis/authentication/token-request.ts'
import type { TokenRequest } from '../../../apis/authentication/types.gen.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { badRequest, conflict, invalid } from '../../../machinery/meta/api-error.ts'
import { FieldPath, invalidValue } from '../../../machinery/meta/field-error.ts'
import type { KubeObject, ObjectKey } from '../../../machinery/meta/object.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { AuditTrail } from '../../../machinery/wire/message.ts'
import type { Stored } from '../codec.ts'

interface Named {
  readonly name: string
  readonly uid: string
}

interface NamedNode {
  readonly name: string
  readonly uid?: string | undefined
}

/** Makes tokens; `server/auth` has the one that signs them. */
export interface TokenIssuer {
  issue(wish: {
    readonly namespace: string
    readonly serviceAccount: Named
    readonly pod?: Named | undefined
    readonly secret?: Named | undefined
    /** Without a uid where a pod's node is not known. */
    readonly node?: NamedNode | undefined
    /** Empty: the API server itself. */
    readonly audiences: readonly string[]
    readonly expirationSeconds: number
  }): Promise<Issued>
}

interface Issued {
  readonly token: string
  readonly audiences: readonly string[]
  readonly expiresAtMs: number
  /** By which a token is named that must not be shown. */
  readonly id?: string | undefined
}

export interface TokenParts {
  readonly issuer: TokenIssuer
  readonly audit?: AuditTrail | undefined
  /** Throws 404. */
  get(resource: 'serviceaccounts' | 'pods' | 'secrets' | 'nodes', key: ObjectKey): Promise<Stored>
}

const GROUP = 'authentication.k8s.io'
const KIND = 'TokenRequest'
/** The key under which the audit log names the token. */
const ISSUED = 'authentication.kubernetes.io/issued-credential-id'

/** The request has its defaults. */
export async function requestToken(
  parts: TokenParts,
  account: { readonly namespace: string; readonly name: string },
  request: TokenRequest,
): Promise<TokenRequest> {
  const { expirationSeconds = 0, audiences, boundObjectRef } = request.spec
  const { namespace } = account
  checkNames(account, request.metadata ?? {})
  const { uid } = await parts.get('serviceaccounts', account)
  const wanted = request.metadata?.uid ?? ''
  if (wanted !== '' && wanted !== uid)
    throw conflict(
      { group: GROUP, resource: KIND },
      account.name,
      `the UID in the token request (${wanted}) does not match the UID of the service account (${uid})`,
    )
  const errors = validateTokenRequest(request)
  if (errors.length > 0) throw invalid({ group: GROUP, kind: KIND }, '', errors)
  const bound = boundObjectRef ? await boundObjects(parts, account, boundObjectRef) : {}
  const issued = await parts.issuer.issue({
    namespace,
    serviceAccount: { name: account.name, uid },
    ...bound,
    audiences: audiences ?? [],
    expirationSeconds,
  })
  if (issued.id !== undefined) parts.audit?.annotate(ISSUED, `JTI=${issued.id}`)
  return {
    kind: KIND,
    apiVersion: `${GROUP}/v1`,
    metadata: { ...request.metadata, name: account.name, namespace, uid },
    spec: { ...request.spec, audiences: issued.audiences, expirationSeconds },
    status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresAtMs) },
  }
}

/** What the body says of the account must be what the path says. */
function checkNames(account: { readonly namespace: string; readonly name: string }, sent: TokenRequest['metadata']) {
  for (const field of ['name', 'namespace'] as const) {
    const value = sent?.[field] ?? ''
    if (value === '' || value === account[field]) continue
    const detail = `must match the service account ${field} if specified`
    throw invalid({ group: GROUP, kind: KIND }, account.name, [
      invalidValue(new FieldPath(`metadata.${field}`), value, detail),
    ])
  }
}

type Reference = NonNullable<TokenRequest['spec']['boundObjectRef']>

interface Bound {
  readonly pod?: Named
  readonly secret?: Named
  readonly node?: NamedNode
}

async function boundObjects(
  parts: TokenParts,
  { namespace, name: account }: { readonly namespace: string; readonly name: string },
  reference: Reference,
): Promise<Bound> {
  const { apiVersion = 'v1', kind = '', name = '' } = reference
  const kindKnown = apiVersion === 'v1' && (kind === 'Pod' || kind === 'Secret' || kind === 'Node')
  if (!kindKnown) {
    const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
    throw badRequest(`cannot bind token to object of type ${groupVersion}, Kind=${kind}`)
  }
  if (kind === 'Secret')
    return { secret: checked(await parts.get('secrets', { namespace, name }), reference, 'secrets') }
  if (kind === 'Node') return { node: checked(await parts.get('nodes', { name }), reference, 'nodes') }
  const pod = await parts.get('pods', { namespace, name })
  const spec = podSpec(pod.object())
  if (spec?.serviceAccountName !== account)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    )
  const bound = { pod: checked(pod, reference, 'pods') }
  if (!spec.nodeName) return bound
  const node = await parts.get('nodes', { name: spec.nodeName }).catch(() => undefined)
  return { ...bound, node: { name: spec.nodeName, ...(node && { uid: node.uid }) } }
}

function podSpec(object: KubeObject): Pod['spec'] {
  // What is stored under pods is a pod.
  return (object as Pod).spec
}

function checked({ name, uid }: Stored, { uid: wanted }: Reference, resource: string): Named {
  if (!wanted || wanted === uid) return { name, uid }
  throw conflict(
    { group: '', resource },
    name,
    `the UID in the bound object reference (${wanted}) does not match the UID in record. ` +
      'The object might have been deleted and then recreated',
  )
}
