/** Credentials as files, for the programs that ask. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KubeconfigEntry, kubeconfigText } from '../../src/client/kubeconfig.ts'
import type { KeyPair } from '../../src/server/auth/certificate-authority.ts'
import type { Access } from './side.ts'

interface Parts {
  readonly folder: string
  /** Of the files. */
  readonly name: string
  readonly server: string
  /** PEM: who signed the server's certificate. */
  readonly authority: string
  readonly pair: KeyPair
}

export function writeAccess({ folder, name, server, authority, pair }: Parts): Access {
  const file = (suffix: string, text: string) => {
    const path = join(folder, `${name}.${suffix}`)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const credentials: KubeconfigEntry = {
    ...{ name: 'bench', server, certificateAuthority: authority },
    ...{ clientCertificate: pair.certificate, clientKey: pair.key },
  }
  return {
    server,
    credentials,
    ca: file('authority.crt', authority),
    certificate: file('crt', pair.certificate),
    key: file('key', pair.key),
    kubeconfig: file('kubeconfig', kubeconfigText(credentials)),
  }
}
