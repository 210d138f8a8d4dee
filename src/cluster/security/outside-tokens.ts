/** Tokens that somebody else than the cluster knows: a file that is followed, a webhook that is asked. */

import { messageOf } from '../../base/error-text.ts'
import { forAudiences, type TokenVerifier } from '../../server/auth/bearer-token.ts'
import { parseStaticTokens, type StaticTokens } from '../../server/auth/tokens/static-tokens.ts'
import { cachedTokens } from '../../server/auth/tokens/token-cache.ts'
import { webhookTokens } from '../../server/auth/tokens/webhook-tokens.ts'
import { createRemoteCaller } from '../../server/outbound/remote.ts'
import type { Environment } from '../environment.ts'
import { invalid, read } from './config-document.ts'
import { reload } from './reload.ts'
import { readRemote } from './remote-kubeconfig.ts'
import type { WebhookSettings } from './settings.ts'

interface OutsideParts {
  /** Of the API server. */
  readonly audiences: readonly string[]
  readonly environment: Pick<Environment, 'clock' | 'random' | 'log'>
  readonly signal: AbortSignal
}

export interface StaticTokenParts extends OutsideParts {
  /** Of the file. */
  readonly path: string
}

/** A token that is taken out of the file is nobody's within moments. Throws `ConfigError`. */
export async function staticTokens({ path, audiences, environment, signal }: StaticTokenParts): Promise<TokenVerifier> {
  const { log } = environment
  const load = async (): Promise<StaticTokens['users']> => {
    const text = await read(path)
    const { users, warnings } = parsed(text, path)
    for (const warning of warnings) log.warn(warning)
    return users
  }
  let users = await load()
  reload({ path, name: 'file of tokens', environment, signal }, async () => {
    users = await load()
  })
  return forAudiences(audiences, (token) => users.get(token))
}

function parsed(text: string, path: string): StaticTokens {
  try {
    return parseStaticTokens(text, path)
  } catch (error) {
    throw invalid(path, [messageOf(error)])
  }
}

export interface ReviewedTokenParts extends OutsideParts, WebhookSettings {}

/** Upstream's: `--authentication-token-webhook-cache-ttl`. */
const CACHE_SECONDS = 120

/** Throws `ConfigError`. */
export async function reviewedTokens(parts: ReviewedTokenParts): Promise<TokenVerifier> {
  const { kubeconfig, version = 'v1beta1', cacheSeconds = CACHE_SECONDS, environment, signal } = parts
  const caller = createRemoteCaller(await readRemote(kubeconfig), environment)
  signal.addEventListener('abort', () => caller[Symbol.dispose](), { once: true })
  const tokens = webhookTokens({ ...environment, caller, version, audiences: parts.audiences })
  const keepMs = cacheSeconds * 1_000
  return cachedTokens(tokens, { ...environment, successMs: keepMs, unknownMs: keepMs })
}
