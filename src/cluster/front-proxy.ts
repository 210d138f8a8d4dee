/**
 * With what the API server comes to API servers behind it: a client certificate of an authority of its own, so that no
 * other certificate of the cluster can vouch for callers. Most clusters never need it: it is made when it is asked for.
 */

import { join } from 'node:path'
import { type KeyPair, needsRenewal } from '../server/auth/certificate-authority.ts'
import { loadOrCreateAuthority, loadOrIssue } from '../server/auth/certificate-files.ts'
import type { ClusterConfig } from './config.ts'
import type { Environment } from './environment.ts'

/** The name of its files. */
export const FRONT_PROXY_AUTHORITY = 'front-proxy-ca'

export interface FrontProxy extends KeyPair {
  /** PEM. */
  readonly authority: string
}

/** How long nobody looks whether the end is near, in ms. */
const LOOK_MS = 3_600_000

/** The common name that servers behind this one expect, and this one of a proxy before it. */
export const FRONT_PROXY_NAME = 'front-proxy-client'

/**
 * Kept in the cluster's folder, and made anew when its end is near: ask for each connection. A failure is forgotten, so
 * that the next who asks tries again. `trust` hears of its authority: proxies before this server have the same authority.
 */
export function createFrontProxy(
  { directory }: ClusterConfig,
  environment: Environment,
  trust: (authority: string) => void,
): () => Promise<FrontProxy> {
  const { clock } = environment
  let made: Promise<FrontProxy> | undefined
  let lookAtMs = 0
  const current = async (before: Promise<FrontProxy> | undefined): Promise<FrontProxy> => {
    const known = await before
    if (known !== undefined && !needsRenewal(known.certificate, clock.now())) return known
    const pair = await make(join(directory, 'pki'), environment)
    trust(pair.authority)
    return pair
  }
  // Who asks while it is made waits for the same: two would write the same files.
  return () => {
    if (made !== undefined && clock.now() < lookAtMs) return made
    lookAtMs = clock.now() + LOOK_MS
    made = current(made).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

async function make(keys: string, { clock, random }: Environment): Promise<FrontProxy> {
  const authority = await loadOrCreateAuthority(keys, FRONT_PROXY_AUTHORITY, { clock, random })
  const pair = await loadOrIssue(keys, {
    name: FRONT_PROXY_NAME,
    authority,
    nowMs: clock.now(),
    issue: () => authority.issueClient({ commonName: FRONT_PROXY_NAME }),
  })
  return { ...pair, authority: authority.bundle }
}
