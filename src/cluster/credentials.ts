/** Client certificates signed with the authority in a cluster's folder, whether or not the cluster runs. */

import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { type KeyPair, restoreCertificateAuthority } from '../server/auth/certificate-authority.ts'
import { loadPair } from '../server/auth/certificate-files.ts'

export interface Credentials extends KeyPair {
  /** PEM. */
  readonly authority: string
}

/** The administrator's own certificate. Undefined: the cluster has never run. */
export async function administratorCredentials(directory: string): Promise<Credentials | undefined> {
  const [authority, admin] = await pairs(directory, ['ca', 'admin'])
  return authority && admin ? { ...admin, authority: authority.certificate } : undefined
}

/** A new certificate for a user of these groups, valid for a year. Undefined: the cluster has never run. */
export async function issueCredentials(
  directory: string,
  user: string,
  groups: readonly string[],
): Promise<Credentials | undefined> {
  const [authority] = await pairs(directory, ['ca'])
  if (!authority) return undefined
  const restored = restoreCertificateAuthority(authority, { clock: systemClock, random: systemRandom })
  const issued = await restored.issueClient({ commonName: user, organizations: groups })
  return { ...issued, authority: authority.certificate }
}

function pairs(directory: string, names: readonly string[]): Promise<readonly (KeyPair | undefined)[]> {
  return Promise.all(names.map((name) => loadPair(join(directory, 'pki'), name)))
}
