/** `npm start`: builds, sees to Docker where it may, and brings up a cluster with two nodes in the background. */

import { join } from 'node:path'
import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

await buildIfStale()
const docker = await ensureDocker()
if (!docker.available) {
  say(docker.advice)
  say('going on with simulated nodes: pods are simulated, everything else is real')
}
const nodes = docker.available ? ['--nodes=2', '--runtime=docker'] : ['--nodes=2', '--runtime=simulated']
const command = join(import.meta.dirname, '..', 'dist', 't8s.js')
process.exitCode = show(process.execPath, [command, 'up', '--detach', ...nodes, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
