/** Key pairs in a directory: `<name>.crt` and `<name>.key`, 0600, written whole or not at all. */

import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AuthorityParts,
  type CertificateAuthority,
  createCertificateAuthority,
  type KeyPair,
  needsRenewal,
  restoreCertificateAuthority,
} from './certificate-authority.ts'

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** The authority `name` of the directory; a new one where there is none or its end is near. */
export async function loadOrCreateAuthority(
  directory: string,
  name: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority> {
  const stored = await loadPair(directory, name)
  if (stored && !needsRenewal(stored.certificate, parts.clock.now())) return restoreCertificateAuthority(stored, parts)
  const created = await createCertificateAuthority(name, parts)
  await savePair(directory, name, created)
  return created
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

export async function loadPair(directory: string, name: string): Promise<KeyPair | undefined> {
  try {
    const [certificate, key] = await Promise.all([
      readFile(join(directory, `${name}.crt`), 'utf8'),
      readFile(join(directory, `${name}.key`), 'utf8'),
    ])
    return { certificate, key }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The certificate last: with a key alone nothing is loaded. */
async function savePair(directory: string, name: string, { certificate, key }: KeyPair): Promise<void> {
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
  for (const [suffix, text] of [
    ['key', key],
    ['crt', certificate],
  ] as const) {
    const path = join(directory, `${name}.${suffix}`)
    await writeFile(`${path}.new`, text, { mode: FILE_MODE })
    await rename(`${path}.new`, path)
  }
}
