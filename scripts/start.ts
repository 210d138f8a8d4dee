/** `npm start`: builds, sees to Docker where it may, and brings up a cluster with two nodes in the background. */

import { join } from 'node:path'
import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

const NEXT = `
Try:
  kubectl get nodes
  kubectl create deployment web --image=nginx --replicas=3
  kubectl get pods -o wide --watch
  npm run t8s -- status
  npm run t8s -- why pod/NAME          what does a pending pod wait for?
  npm run t8s -- create node NAME      one more node
  npm run t8s -- stop                  end it, keep everything; start goes on
  npm run t8s -- down                  delete everything it made
`

const words = process.argv.slice(2)
try {
  await buildIfStale()
  const docker = await ensureDocker()
  if (!docker.available) {
    say(docker.advice)
    say('going on with simulated nodes: pods are simulated, everything else is real')
  }
  const command = join(import.meta.dirname, '..', 'dist', 't8s.js')
  process.exitCode = show(process.execPath, [command, 'up', '--detach', '--nodes=2', ...words], { stdio: 'inherit' })
  if (process.exitCode === 0) process.stdout.write(NEXT)
} catch (error) {
  say(`npm start failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
