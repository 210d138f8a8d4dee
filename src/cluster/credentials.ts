/**
 * Client certificates signed with the authority in a cluster's folder, whether or not the cluster runs; and successors
 * of that authority and of the key for tokens, for when it does not.
 */

import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import type { CertificateAuthority, KeyPair } from '../server/auth/certificate-authority.ts'
import { loadAuthority, loadPair, replaceAuthority } from '../server/auth/certificate-files.ts'
import { replaceSigningKey, type SigningKeyFiles } from '../server/auth/signing-keys.ts'
import { FRONT_PROXY_AUTHORITY } from './front-proxy.ts'

export interface Credentials extends KeyPair {
  /** PEM. */
  readonly authority: string
}

/** The administrator's own certificate. Undefined: the cluster has never run. */
export async function administratorCredentials(directory: string): Promise<Credentials | undefined> {
  const [authority, admin] = await Promise.all([clusterAuthority(directory), loadPair(keysOf(directory), 'admin')])
  return authority && admin ? { ...admin, authority: authority.bundle } : undefined
}

/** A new certificate for a user of these groups, valid for a year. Undefined: the cluster has never run. */
export async function issueCredentials(
  directory: string,
  user: string,
  groups: readonly string[],
): Promise<Credentials | undefined> {
  const authority = await clusterAuthority(directory)
  if (!authority) return undefined
  const issued = await authority.issueClient({ commonName: user, organizations: groups })
  return { ...issued, authority: authority.bundle }
}

/** From the next start on other authorities sign; those before them are trusted until they end. False: there are none. */
export async function replaceAuthorities(directory: string): Promise<boolean> {
  const keys = keysOf(directory)
  if ((await loadPair(keys, 'ca')) === undefined) return false
  await replaceAuthority(keys, 'ca', PARTS)
  if (await loadPair(keys, FRONT_PROXY_AUTHORITY)) await replaceAuthority(keys, FRONT_PROXY_AUTHORITY, PARTS)
  return true
}

/** From the next start on another key signs the tokens of service accounts; those it has signed are still good. */
export function replaceTokenKey(directory: string): Promise<void> {
  return replaceSigningKey(signingKeyFiles(keysOf(directory)))
}

/** `keys`: the folder of the cluster's keys. */
export function signingKeyFiles(keys: string): SigningKeyFiles {
  return { path: join(keys, 'service-account.key'), former: join(keys, 'service-account-former.pub') }
}

const PARTS = { clock: systemClock, random: systemRandom }

function clusterAuthority(directory: string): Promise<CertificateAuthority | undefined> {
  return loadAuthority(keysOf(directory), 'ca', PARTS)
}

function keysOf(directory: string): string {
  return join(directory, 'pki')
}
