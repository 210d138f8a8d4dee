/** How upstream's etcd and API server are started here: the defaults of v1.36 with what every real cluster sets. */

import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { generateSigningKey } from '../../src/server/auth/json-web-token.ts'

export interface UpstreamPlaces {
  /** Holds `ca.crt`, `server.crt`, `server.key` and `accounts.key`; etcd keeps its data in it. */
  readonly directory: string
  readonly port: number
  readonly etcdPort: number
  readonly etcdPeerPort: number
  readonly serviceCidr: string
}

export function etcdFlags({ directory, etcdPort, etcdPeerPort }: UpstreamPlaces): readonly string[] {
  const client = `http://127.0.0.1:${etcdPort}`
  const own = `http://127.0.0.1:${etcdPeerPort}`
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=default=${own}`,
    '--log-level=error',
  ]
}

export function serverFlags({ directory, port, etcdPort, serviceCidr }: UpstreamPlaces): readonly string[] {
  const file = (name: string) => join(directory, name)
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${serviceCidr}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    '--allow-privileged=true',
    // The address it would publish is this machine's, and 127.0.0.1 is not allowed.
    '--endpoint-reconciler-type=none',
  ]
}

/** A key that signs tokens, in PEM: upstream takes the public half from this older form only. */
export function accountsKey(): string | Buffer {
  return createPrivateKey(generateSigningKey()).export({ type: 'sec1', format: 'pem' })
}
