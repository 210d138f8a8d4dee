/** Two years pass for a whole cluster with a node: the parts renew for each other what they show. */

import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { certificateSigningRequests } from '../../../../src/apis/certificates/certificate-signing-request.ts'
import { nodes } from '../../../../src/apis/core/node.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { type Cluster, createCluster } from '../../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../../src/cluster/config.ts'
import { createEnvironment } from '../../../../src/cluster/environment.ts'
import { servingFinding } from '../../../support/control-plane.ts'
import { createStridingClock, DAY_MS, type Line, pass, recordingLogger, type StridingClock } from './year.ts'

let home: string
let clock: StridingClock
let lines: Line[]
let cluster: Cluster
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-years-'))
  clock = createStridingClock(systemClock.now())
  lines = []
  const config = resolveConfig({
    ...{ home, name: 'years', storage: 'memory', port: 0, nodes: 1, runtime: 'simulated' },
    ...{ podCidr: '10.223.0.0/16', serviceCidr: '10.224.0.0/16' },
  })
  const environment = createEnvironment({ logLevel: 'error', logDestination: 2, directory: home })
  cluster = await createCluster(config, { ...environment, clock, log: recordingLogger(lines) })
  let isReady = false
  void cluster.ready.then(() => {
    isReady = true
  })
  for (; !isReady; await setImmediate()) clock.stride(10)
})
afterEach(async () => {
  let isOver = false
  void Promise.resolve(cluster[Symbol.asyncDispose]()).then(() => {
    isOver = true
  })
  for (; !isOver; await setImmediate()) clock.stride(1_000)
  await rm(home, { recursive: true, force: true })
})

test("a node's certificate is renewed by the cluster that it is a part of", async () => {
  const { authority, clientAs } = cluster.controlPlane
  const root = clientAs({ name: 'root', groups: ['system:masters'] })
  const [node] = cluster.nodes.running.values()
  if (!node) throw new Error('there is a node')
  const { name } = node
  const shown = async () => {
    const socket = connect({ host: node.host, port: node.port, rejectUnauthorized: false })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    const certificate = socket.getPeerX509Certificate()
    socket.destroy()
    return certificate
  }
  // Renewed at 70 to 90 % of a year: twice in two years, whatever chance says.
  const serials = new Set<string | undefined>()
  for (let month = 0; month < 24; month++) {
    await pass(clock, 30 * DAY_MS, lines, 10 * DAY_MS)
    const certificate = await shown()
    expect(servingFinding(certificate, { ca: authority.bundle, clock })).toBeUndefined()
    serials.add(certificate?.serialNumber)
    const kept = new X509Certificate(await readFile(join(cluster.config.directory, 'pki', `kubelet-${name}.crt`)))
    expect(kept.serialNumber).toBe(certificate?.serialNumber)
    expect((await root.of(certificateSigningRequests).list()).items.length).toBeLessThanOrEqual(1)
  }
  expect(serials.size).toBe(3)
  expect((await root.of(nodes).list()).items.map(({ metadata }) => metadata.name)).toEqual([name])
  await cluster.nodes.remove(name)
  const left = await readdir(join(cluster.config.directory, 'pki'))
  expect(left.filter((file) => file.includes(name))).toEqual([])
})
