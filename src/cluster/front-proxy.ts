/**
 * With what the API server comes to API servers behind it: a client certificate of an authority of its own, so that no
 * other certificate of the cluster can vouch for callers. Most clusters never need it: it is made when it is asked for.
 */

import { join } from 'node:path'
import type { KeyPair } from '../server/auth/certificate-authority.ts'
import { loadOrCreateAuthority, loadOrIssue } from '../server/auth/certificate-files.ts'
import type { ClusterConfig } from './config.ts'
import type { Environment } from './environment.ts'

export interface FrontProxy extends KeyPair {
  /** PEM. */
  readonly authority: string
}

/** The common name that servers behind this one expect. */
const COMMON_NAME = 'front-proxy-client'

/** Kept in the cluster's folder. A failure is forgotten, so that the next who asks tries again. */
export function createFrontProxy({ directory }: ClusterConfig, environment: Environment): () => Promise<FrontProxy> {
  let made: Promise<FrontProxy> | undefined
  return () => {
    made ??= make(join(directory, 'pki'), environment).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

async function make(keys: string, { clock, random }: Environment): Promise<FrontProxy> {
  const authority = await loadOrCreateAuthority(keys, 'front-proxy-ca', { clock, random })
  const pair = await loadOrIssue(keys, {
    name: COMMON_NAME,
    authority,
    nowMs: clock.now(),
    issue: () => authority.issueClient({ commonName: COMMON_NAME }),
  })
  return { ...pair, authority: authority.certificate }
}
