/** Key pairs in a directory: `<name>.crt` and `<name>.key`; and what an authority's successor keeps of it. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AuthorityParts,
  type CertificateAuthority,
  createCertificateAuthority,
  crossSigned,
  joinedPem,
  type KeyPair,
  needsRenewal,
  type Predecessors,
  restoreCertificateAuthority,
} from './certificate-authority.ts'
import { loadText, saveText } from './private-files.ts'

/** The authority `name` of the directory; a new one where there is none, a successor where its end is near. */
export async function loadOrCreateAuthority(
  directory: string,
  name: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority> {
  const stored = await loadAuthority(directory, name, parts)
  if (stored === undefined) return createAuthority(directory, name, parts)
  return needsRenewal(stored.certificate, parts.clock.now()) ? replaceAuthority(directory, name, parts) : stored
}

export async function loadAuthority(
  directory: string,
  name: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority | undefined> {
  const stored = await loadPair(directory, name)
  return stored && restored(directory, name, stored, parts)
}

async function createAuthority(directory: string, name: string, parts: AuthorityParts): Promise<CertificateAuthority> {
  const created = await createCertificateAuthority(name, parts)
  await savePair(directory, name, created)
  return restored(directory, name, created, parts)
}

async function restored(directory: string, name: string, pair: KeyPair, parts: AuthorityParts) {
  return restoreCertificateAuthority(pair, parts, await loadPredecessors(directory, name, pair, parts))
}

/**
 * A new authority in the place of the stored one, which is trusted until it ends. Servers show who trusts only the old
 * one that it vouches for the new. Whoever runs with the old one goes on with it until it starts again.
 */
export async function replaceAuthority(
  directory: string,
  name: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority> {
  const stored = await loadPair(directory, name)
  const created = await createCertificateAuthority(name, parts)
  if (stored) {
    const before = await loadPredecessors(directory, name, stored, parts)
    const chain = joinedPem(crossSigned(created.certificate, stored, parts), before.chain)
    const kept = pemCertificates(joinedPem(stored.certificate, before.certificates)).slice(0, PREDECESSORS_MAX)
    await saveText(join(directory, `${name}-previous.crt`), joinedPem(...kept))
    await saveText(join(directory, `${name}-chain.crt`), chain)
  }
  await savePair(directory, name, created)
  return restored(directory, name, created, parts)
}

/** Those that have ended are left out, and a chain that was made for another authority. */
async function loadPredecessors(
  directory: string,
  name: string,
  current: KeyPair,
  { clock }: AuthorityParts,
): Promise<Predecessors> {
  const load = async (file: string) => pemCertificates((await loadText(join(directory, file))) ?? '')
  const isCurrent = (text: string) => Date.parse(new X509Certificate(text).validTo) > clock.now()
  const certificates = (await load(`${name}-previous.crt`)).filter((text) => text !== current.certificate.trim())
  const chain = (await load(`${name}-chain.crt`)).filter(isCurrent)
  const [first] = chain
  const vouched = first !== undefined && new X509Certificate(first).checkPrivateKey(createPrivateKey(current.key))
  return { certificates: joinedPem(...certificates.filter(isCurrent)), chain: vouched ? joinedPem(...chain) : '' }
}

/** Authorities before the current one that are still trusted. More than any rotation leaves behind. */
const PREDECESSORS_MAX = 4

function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

export interface WantedPair {
  readonly name: string
  readonly authority: CertificateAuthority
  readonly nowMs: number
  /** Every DNS name and address the certificate must cover; a stored one that does not is replaced. */
  readonly names?: readonly string[] | undefined
  issue(): Promise<KeyPair>
}

/** The stored pair while it is the authority's, covers the names and is not near its end; else a new one. */
export async function loadOrIssue(directory: string, wanted: WantedPair): Promise<KeyPair> {
  const stored = await loadPair(directory, wanted.name)
  if (stored && stillGood(stored.certificate, wanted)) return stored
  const issued = await wanted.issue()
  await savePair(directory, wanted.name, issued)
  return issued
}

function stillGood(certificate: string, { authority, nowMs, names = [] }: WantedPair): boolean {
  if (needsRenewal(certificate, nowMs)) return false
  const parsed = new X509Certificate(certificate)
  if (!parsed.verify(new X509Certificate(authority.certificate).publicKey)) return false
  return names.every((name) => (parsed.checkHost(name) ?? parsed.checkIP(name)) !== undefined)
}

/** Undefined where there is none, or where the halves do not belong together: one was written and the other not. */
export async function loadPair(directory: string, name: string): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all([
    loadText(join(directory, `${name}.crt`)),
    loadText(join(directory, `${name}.key`)),
  ])
  if (certificate === undefined || key === undefined) return undefined
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)) ? { certificate, key } : undefined
  } catch {
    return undefined
  }
}

/** The certificate last: with a key alone nothing is loaded. */
export async function savePair(directory: string, name: string, { certificate, key }: KeyPair): Promise<void> {
  await saveText(join(directory, `${name}.key`), key)
  await saveText(join(directory, `${name}.crt`), certificate)
}

export async function removePair(directory: string, name: string): Promise<void> {
  await Promise.all(['key', 'crt'].map((suffix) => rm(join(directory, `${name}.${suffix}`), { force: true })))
}
