/** A cluster on Docker through the command line: up, killed, started again, and down without a trace. Needs root. */

import { execFileSync } from 'node:child_process'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dockerObstacle } from '../../src/cli/docker-probe.ts'
import { DEFAULTS } from '../../src/cluster/config.ts'
import { metricsOf } from '../../src/network/pods/routes.ts'
import { type CommandLine, createCommandLine } from './command-line.ts'

const NAME = `cli-test-${process.pid}`
const obstacle = await dockerObstacle(DEFAULTS.dockerSocket)
if (obstacle) console.warn(`skipped: ${obstacle.message}`)

/** What the engine lists of this cluster. */
function listed(path: string): Promise<readonly unknown[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`t8s.cluster=${NAME}`] }))
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: DEFAULTS.dockerSocket, path: `${path}filters=${filters}` }, async (response) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of response) chunks.push(chunk)
      resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    })
    call.on('error', reject)
    call.end()
  })
}

const containers = () => listed('/containers/json?all=1&')
const networks = () => listed('/networks?')
const routes = () => execFileSync('ip', ['route', 'show', 'proto', '116'], { encoding: 'utf8' })

describe.skipIf(obstacle)('a cluster on Docker', () => {
  let line: CommandLine
  const ours = `metric ${metricsOf(NAME).metric}`

  beforeAll(() => {
    line = createCommandLine()
  })

  afterAll(async () => {
    await line[Symbol.asyncDispose]()
  })

  test('has ready nodes that are containers', async () => {
    const outcome = await line.run('up', NAME, '--detach', '--runtime=docker', '--nodes=2', '--port=0')
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(await containers()).toHaveLength(2)
    expect(routes()).toContain(ours)
  })

  test('finds its containers again after its process was killed', async () => {
    const ids = (list: readonly unknown[]) => list.map((item) => (item as { readonly Id: string }).Id).toSorted()
    const first = ids(await containers())
    const { pid } = JSON.parse((await line.run('status', NAME, '-o', 'json')).stdout)
    process.kill(pid, 'SIGKILL')
    expect((await line.run('start', NAME)).code).toBe(0)
    expect(ids(await containers())).toEqual(first)
  })

  test('goes without a trace', async () => {
    expect((await line.run('down', NAME)).code).toBe(0)
    expect(await containers()).toEqual([])
    expect(await networks()).toEqual([])
    expect(routes()).not.toContain(ours)
  })
})
