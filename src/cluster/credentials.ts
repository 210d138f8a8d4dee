/** Client certificates signed with the authority in a cluster's folder, whether or not the cluster runs. */

import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import type { CertificateAuthority, KeyPair } from '../server/auth/certificate-authority.ts'
import { loadAuthority, loadPair } from '../server/auth/certificate-files.ts'

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

const PARTS = { clock: systemClock, random: systemRandom }

function clusterAuthority(directory: string): Promise<CertificateAuthority | undefined> {
  return loadAuthority(keysOf(directory), 'ca', PARTS)
}

function keysOf(directory: string): string {
  return join(directory, 'pki')
}
