/**
 * `npm run conformance -- --peers [--filter TEXT]`: the same requests to upstream's API server and to that of t8s, and
 * where the answers differ. Fails on a difference that `differences.md` does not have, and on one it has that is
 * gone. Everything is reported in `.cache/peers/report.md`. Without Go, and without programs that it once built,
 * nothing is compared.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { playAccess } from './peers/access/play-access.ts'
import { type AuditLogs, playAudit, writePolicy } from './peers/audit/play-audit.ts'
import { THEMES } from './peers/cases/themes.ts'
import { playCorpus } from './peers/corpus/play-corpus.ts'
import { playFlows } from './peers/flows/play-flows.ts'
import { startOwn } from './peers/own-server.ts'
import { type Peers, type Played, playThemes } from './peers/play.ts'
import { freePort } from './peers/processes.ts'
import { report } from './peers/report.ts'
import { startUpstream } from './peers/upstream-server.ts'
import { upstreamPrograms } from './upstream.ts'

/** Where free ports are looked for. */
const FIRST_PORT = 7150
const RANGES = { serviceCidr: '10.164.0.0/16', podCidr: '10.154.0.0/16' }

const { values } = parseArgs({ options: { filter: { type: 'string' } } })

const programs = await upstreamPrograms(['kube-apiserver', 'etcd'], { say: console.error })
if (programs.available) await compare(dirname(programs.path('kube-apiserver')))
else console.error(`skipped: ${programs.reason}`)

async function compare(binaries: string): Promise<void> {
  const ports: number[] = []
  for (let count = 0; count < 4; count++) ports.push(await freePort(FIRST_PORT, ports))
  const [port = 0, upstreamPort = 0, etcdPort = 0, etcdPeerPort = 0] = ports
  const directory = await mkdtemp(join(tmpdir(), 't8s-peers-'))
  const policy = join(directory, 'audit-policy.json')
  const logs = { upstream: join(directory, 'upstream-audit.log'), t8s: join(directory, 't8s-audit.log') }
  try {
    await writePolicy(policy)
    const [upstream, t8s] = await Promise.all([
      startUpstream({
        ...RANGES,
        binaries,
        directory: join(directory, 'upstream'),
        port: upstreamPort,
        etcdPort,
        etcdPeerPort,
        flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${logs.upstream}`],
      }),
      startOwn({
        ...RANGES,
        directory: join(directory, 't8s'),
        port,
        security: { audit: { policy, log: { path: logs.t8s } } },
      }),
    ])
    await using stack = new AsyncDisposableStack()
    stack.use(upstream)
    stack.use(t8s)
    const played = await playAll({ upstream, t8s }, logs, values.filter)
    process.exitCode = (await report(played, values.filter === undefined)) ? 0 : 1
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function playAll(peers: Peers, logs: AuditLogs, filter = ''): Promise<readonly Played[]> {
  const themes = THEMES.map((theme) => ({
    ...theme,
    cases: theme.cases.filter(({ name }) => `${theme.theme}: ${name}`.includes(filter)),
  }))
  return [
    ...(await playThemes(peers, themes)),
    ...(await playCorpus(peers, filter)),
    ...(await playAccess(peers, filter)),
    ...(await playAudit(peers, logs, filter)),
    ...(await playFlows(peers, filter)),
  ]
}
