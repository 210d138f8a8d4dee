/** `npm run conformance`: what strangers' binaries say about us, on a cluster of its own. `npm run conformance -- FILTER` picks cases. */

import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

await buildIfStale()
const docker = await ensureDocker()
if (!docker.available) say(`cases that need Docker will say so and be skipped: ${docker.advice}`)
try {
  const filters = process.argv.slice(2).map((name) => `conformance/cases/${name}`)
  process.exitCode = show('vitest', [
    'run',
    '--project',
    'system',
    ...(filters.length > 0 ? filters : ['conformance/cases']),
  ])
} finally {
  await docker.stop()
}
