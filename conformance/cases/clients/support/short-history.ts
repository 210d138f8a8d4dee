/** A cluster in this process that forgets what was overwritten within a second, so that clients meet its end. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawRequest } from '../../../../src/client/client.ts'
import { kubeconfigText } from '../../../../src/client/kubeconfig.ts'
import { rawObject } from '../../../../src/client/raw-object.ts'
import { createCluster } from '../../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../../src/cluster/config.ts'
import { administratorCredentials } from '../../../../src/cluster/credentials.ts'
import { createEnvironment } from '../../../../src/cluster/environment.ts'

const HISTORY_MS = 1_000

export interface ShortHistory extends AsyncDisposable {
  readonly directory: string
  /** The administrator's. */
  readonly kubeconfig: string
  /** As administrator. Throws what the server refuses. */
  ask<T extends object>(request: RawRequest): Promise<T>
  /** The newest revision that nobody can watch from any more. */
  forgotten(): number
}

/** One simulated node; objects in memory. */
export async function startShortHistory(name: string): Promise<ShortHistory> {
  const home = await mkdtemp(join(tmpdir(), `t8s-clients-${name}-`))
  const config = resolveConfig({
    ...{ home, name, storage: 'memory', port: 0, nodes: 1, runtime: 'simulated', historyMs: HISTORY_MS },
    ...{ podCidr: '10.170.0.0/16', serviceCidr: '10.171.0.0/16', logLevel: 'error' },
  })
  const environment = createEnvironment({ logLevel: 'error', logDestination: 2, directory: home })
  const cluster = await createCluster(config, environment)
  await cluster.ready
  const credentials = await administratorCredentials(config.directory)
  if (!credentials) throw new Error('the cluster has no administrator')
  const { authority, certificate, key } = credentials
  const server = `https://127.0.0.1:${cluster.controlPlane.port}`
  const entry = { name, server, certificateAuthority: authority, clientCertificate: certificate, clientKey: key }
  const kubeconfig = join(home, 'kubeconfig')
  await writeFile(kubeconfig, kubeconfigText(entry))
  const administrator = cluster.controlPlane.clientAs({ name: 'tours', groups: ['system:masters'] })
  return {
    directory: home,
    kubeconfig,
    ask: (request) => rawObject(administrator, request),
    forgotten: () => cluster.controlPlane.storage.compacted,
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}
