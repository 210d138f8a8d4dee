/** Subresources that take an object of another kind and act: binding, eviction, tokens. One table names them all. */

import { defaultTokenRequest } from '../../apis/authentication/token-request.ts'
import type { TokenRequest } from '../../apis/authentication/types.gen.ts'
import { builtinSchema } from '../../apis/builtin-schema.ts'
import type { Binding, Pod } from '../../apis/core/types.gen.ts'
import type { PodDisruptionBudget } from '../../apis/policy/types.gen.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest, pageNotFound, type Status } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { bind } from '../registry/subresources/binding.ts'
import { evict } from '../registry/subresources/eviction.ts'
import { requestToken, type TokenIssuer } from '../registry/subresources/token-request.ts'
import { decodeBody, messageOfBody } from './body.ts'
import { deleteWish } from './delete-options.ts'
import { type Exchange, keyOfTarget } from './exchange.ts'
import { writeParameters } from './options.ts'
import { valueResponse } from './respond.ts'
import type { SubresourceHandler } from './routes.ts'
import { trackedMessage } from './tracked-message.ts'
import type { ViewKind } from './view.ts'

export interface ActionParts {
  readonly registries: Registries
  readonly tokenIssuer: TokenIssuer
}

export const actions = (parts: ActionParts): readonly (readonly [string, SubresourceHandler])[] => [
  ['/pods/binding', onPost((exchange) => bindPod(parts, exchange))],
  ['/bindings/', onPost((exchange) => bindPod(parts, exchange))],
  ['/pods/eviction', onPost((exchange) => evictPod(parts, exchange))],
  ['/serviceaccounts/token', onPost((exchange) => issueToken(parts, exchange))],
]

function onPost(act: (exchange: Exchange) => Promise<ApiResponse>): SubresourceHandler {
  return { handle: (exchange) => (exchange.target.verb === 'create' ? act(exchange) : undefined) }
}

const kindOf = (group: string, kind: string, definition: string) =>
  ({ group, version: 'v1', kind, schema: builtinSchema(definition) }) as const

const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

function succeeded(request: ApiRequest): Promise<ApiResponse> | ApiResponse {
  request.audit?.answersStatus(SUCCESS)
  return valueResponse(request, 201, SUCCESS)
}

/** The pod is that of the path, or for a POST to `bindings` the one that the binding is named after. */
async function bindPod({ registries }: ActionParts, exchange: Exchange): Promise<ApiResponse> {
  const { request, target, clock } = exchange
  const parameters = writeParameters(exchange, 'CreateOptions')
  const binding = messageOfBody(request, { kind: kindOf('', 'Binding', 'core.v1.Binding'), ...parameters })
  request.audit?.sent(binding, () => binding)
  const name = target.name === '' ? (binding.metadata.name ?? '') : target.name
  checkSentName(binding, name)
  const pods = registries.named('', 'v1', 'pods')
  if (!pods) throw pageNotFound()
  const place = { namespace: target.namespace, name, nowMs: clock.now() }
  const admitted = await pods.admit({ namespace: target.namespace, name }, 'binding', binding, parameters)
  // Pods are stored under that name; the body has been checked against the schema of a Binding.
  await bind(pods as Registry<Pod>, place, admitted as Binding, parameters)
  return succeeded(request)
}

async function evictPod({ registries }: ActionParts, exchange: Exchange): Promise<ApiResponse> {
  const { request, target, registry, clock } = exchange
  const parameters = writeParameters(exchange, 'CreateOptions')
  const eviction = messageOfBody(request, { kind: evictionKind(request), ...parameters })
  request.audit?.sent(eviction, () => eviction)
  checkSentName(eviction, target.name)
  await registry.admit(keyOfTarget(exchange), 'eviction', eviction, parameters)
  const { wish, dryRun } = deleteWish(Reflect.get(eviction, 'deleteOptions') ?? {})
  // The route names pods, and budgets are stored under that name.
  const pods = registry as Registry<Pod>
  const budgets = registries.named('policy', 'v1', 'poddisruptionbudgets') as Registry<PodDisruptionBudget> | undefined
  const options = { ...parameters, dryRun: parameters.dryRun || dryRun }
  await evict({ pods, budgets, nowMs: clock.now() }, keyOfTarget(exchange), wish, options)
  return succeeded(request)
}

/** Evictions of the version before are still taken; they are the same but for its name. */
function evictionKind(request: ApiRequest): ViewKind {
  const kind = kindOf('policy', 'Eviction', 'policy.v1.Eviction')
  const body = decodeBody(request)
  const isOld = isRecord(body) && body.apiVersion === 'policy/v1beta1'
  return isOld ? { ...kind, version: 'v1beta1' } : kind
}

async function issueToken({ registries, tokenIssuer: issuer }: ActionParts, exchange: Exchange): Promise<ApiResponse> {
  const { request, target } = exchange
  const parameters = writeParameters(exchange, 'CreateOptions')
  const kind = kindOf('authentication.k8s.io', 'TokenRequest', 'authentication.v1.TokenRequest')
  const sent = messageOfBody(request, { kind, ...parameters })
  request.audit?.sent(sent, () => sent)
  await exchange.registry.admit(keyOfTarget(exchange), 'token', sent, parameters)
  const parts = {
    issuer,
    audit: request.audit,
    get: (resource: string, key: { readonly namespace?: string | undefined; readonly name: string }) => {
      const registry = registries.named('', 'v1', resource)
      if (!registry) throw badRequest(`cannot bind token to ${resource}: they are not served`)
      return registry.get(key)
    },
  }
  const account = { namespace: target.namespace, name: target.name }
  // The body has been checked against the schema of a TokenRequest.
  const wish = defaultTokenRequest(sent as TokenRequest)
  const tracked = trackedMessage(exchange, kind, wish, parameters)
  const answer = await requestToken(parts, account, tracked)
  const creationTimestamp = formatTime(exchange.clock.now())
  return valueResponse(request, 201, { ...answer, metadata: { ...answer.metadata, creationTimestamp } })
}

function checkSentName({ kind, metadata: { name } }: KubeObject, wanted: string): void {
  if (name && name !== wanted) throw badRequest(`name in URL does not match name in ${kind} object`)
}
