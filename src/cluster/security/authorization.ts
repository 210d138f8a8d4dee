/**
 * Who decides on requests, put together: Node and RBAC, or what the cluster's AuthorizationConfiguration lists. That file
 * is followed: a new one that is valid takes the place of the old between two requests, an invalid one is logged.
 */

import { statSync } from 'node:fs'
import { messageOf } from '../../base/error-text.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Authorization } from '../../server/auth/authorization.ts'
import type { RuleResolver } from '../../server/auth/authorizer.ts'
import { nodeAuthorizer } from '../../server/auth/node/node-authorizer.ts'
import { rbacAuthorizer } from '../../server/auth/rbac/rbac-authorizer.ts'
import {
  type AuthorizationConfiguration,
  type AuthorizerConfiguration,
  configurationErrors,
  type WebhookPlan,
  webhookPlanOf,
} from '../../server/auth/structured/authorization-configuration.ts'
import {
  type AuthorizationMetrics,
  createAuthorizationMetrics,
} from '../../server/auth/structured/authorization-metrics.ts'
import {
  type AuthorizerPart,
  alwaysDeny,
  authorizerChain,
  DEFAULT_AUTHORIZERS,
  replaceable,
} from '../../server/auth/structured/authorizer-chain.ts'
import { webhookAuthorizer } from '../../server/auth/structured/webhook-authorizer.ts'
import { createNodeObjects, createRoleSource } from '../../server/auth-sources.ts'
import { createRemoteCaller, type RemoteCaller } from '../../server/outbound/remote.ts'
import type { Registries } from '../../server/registry/registries.ts'
import { ConfigError } from '../config-error.ts'
import { checkAuthorizationConfiguration } from '../documents/checks.gen.ts'
import type { Environment } from '../environment.ts'
import { invalid, readDocument, refuseInvalid } from './config-document.ts'
import { type ReloadCount, reload, reloadCount } from './reload.ts'
import { readRemote } from './remote-kubeconfig.ts'
import type { AuthorizationSettings } from './settings.ts'

export interface AuthorizationParts {
  readonly settings: AuthorizationSettings | undefined
  readonly environment: Environment
  readonly registries: () => Registries
  readonly metrics: Metrics
  /** Ends the following of files and the connections to webhooks. */
  readonly signal: AbortSignal
}

/** Throws `ConfigError` when the configuration cannot be used. */
export async function createAuthorization(
  parts: AuthorizationParts,
): Promise<Authorization & { readonly rules: RuleResolver }> {
  const { settings, environment, registries, signal } = parts
  const metrics = createAuthorizationMetrics(parts.metrics)
  const count = reloadCount(parts.metrics, environment.clock, 'authorization')
  const node = nodeAuthorizer(createNodeObjects(registries))
  const rbac = rbacAuthorizer(createRoleSource(registries))
  const builtin: Builtin = new Map<string, AuthorizerPart>([
    ['Node', node],
    ['RBAC', rbac],
    ['AlwaysDeny', alwaysDeny],
  ])
  const { config } = settings ?? {}
  if (config === undefined) {
    const chain = authorizerChain(DEFAULT_AUTHORIZERS, metrics, ({ type = '' }) => builtin.get(type) ?? alwaysDeny)
    return { authorizer: chain, rules: chain, roles: rbac }
  }
  const builder: Builder = { builtin, environment, metrics, count, signal }
  const chain = await followed(config, builder)
  return { authorizer: chain, rules: chain, roles: rbac }
}

type Builtin = ReadonlyMap<string, AuthorizerPart>

interface Builder {
  readonly builtin: Builtin
  readonly environment: Environment
  readonly metrics: AuthorizationMetrics
  readonly count: ReloadCount
  readonly signal: AbortSignal
}

async function followed(path: string, builder: Builder): Promise<AuthorizerPart> {
  const { environment, count, signal } = builder
  const first = await readConfiguration(path)
  const needed = new Set(first.flatMap(({ type }) => (type === undefined || type === 'Webhook' ? [] : [type])))
  let built = await build(first, builder)
  const chain = replaceable(built.chain)
  signal.addEventListener('abort', () => built.retire(0), { once: true })
  const file = { path, name: 'authorization configuration', environment, signal, count }
  reload(file, async () => {
    const next = await build(await readConfiguration(path, needed), builder)
    chain.replace(next.chain)
    built.retire(RETIRE_MS)
    built = next
  })
  return chain
}

/** Throws `ConfigError`. `needed`: types that were there at the start and must stay, as upstream asks. */
async function readConfiguration(
  path: string,
  needed: ReadonlySet<string> = new Set(),
): Promise<readonly AuthorizerConfiguration[]> {
  const configuration = await readDocument<AuthorizationConfiguration>(path, checkAuthorizationConfiguration)
  refuseInvalid(path, configurationErrors(configuration, kubeconfigFinding))
  const { authorizers = [] } = configuration
  const missing = [...needed].filter((type) => !authorizers.some((authorizer) => authorizer.type === type))
  if (missing.length > 0) throw invalid(path, [`missing required types: [${missing.join(' ')}]`])
  return authorizers
}

function kubeconfigFinding(path: string): string | undefined {
  try {
    const file = statSync(path, { throwIfNoEntry: false })
    if (!file) return `error loading file: stat ${path}: no such file or directory`
    return file.isFile() ? undefined : 'must be a regular file'
  } catch (error) {
    return `error loading file: ${messageOf(error)}`
  }
}

interface Built {
  readonly chain: AuthorizerPart
  /** Closes the connections to webhooks, when requests that have begun are over. */
  retire(afterMs: number): void
}

/** No request waits longer. */
const RETIRE_MS = 60_000

/** All kubeconfigs are read before any connection is there. */
async function build(authorizers: readonly AuthorizerConfiguration[], builder: Builder): Promise<Built> {
  const { builtin, environment, metrics } = builder
  const { clock } = environment
  const plans = authorizers.flatMap(({ name = '', webhook }) => (webhook ? [webhookPlanOf(name, webhook)] : []))
  const remotes = await Promise.all(plans.map(async (plan) => ({ plan, remote: await readRemote(plan.kubeconfig) })))
  const callers = remotes.map(({ plan, remote }) => ({ plan, caller: createRemoteCaller(remote, environment) }))
  const webhooks = new Map(callers.map(({ plan, caller }) => [plan.name, webhookPart(plan, caller, builder)]))
  const partOf = ({ type = '', name = '' }: AuthorizerConfiguration): AuthorizerPart => {
    const part = type === 'Webhook' ? webhooks.get(name) : builtin.get(type)
    if (part === undefined) throw new ConfigError(`there is no authorizer of type ${type}`)
    return part
  }
  const close = () => {
    for (const { caller } of callers) caller[Symbol.dispose]()
  }
  return {
    chain: authorizerChain(authorizers, metrics, partOf),
    retire: (afterMs) => (afterMs === 0 ? close() : void clock.after(afterMs, close)),
  }
}

function webhookPart(plan: WebhookPlan, caller: RemoteCaller, { environment, metrics }: Builder): AuthorizerPart {
  const { clock, log } = environment
  return webhookAuthorizer({ ...plan, caller, clock, log, metrics })
}
