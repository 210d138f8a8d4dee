/**
 * The entry of the command line. It imports nothing of ours before it knows that this Node can run it, so that an old
 * one gets a sentence instead of a syntax error.
 */

import * as nodeModule from 'node:module'
import { join } from 'node:path'

/** The floor in package.json. */
const NODE_MAJOR_MIN = 24

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `✗ t8s needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}.
  → npm install --global node@26     a newer Node by npm
  → nvm install 26                   or by nvm
                                                    reason: NodeTooOld · exit 4\n`,
  )
  process.exitCode = 4
} else {
  void run(process.argv.slice(2))
}

async function run(words: readonly string[]): Promise<void> {
  // Beside the package: what lies in the machine's folder for temporary files others may have put there.
  const toPackage = import.meta.filename.endsWith('.ts') ? '../..' : '..'
  nodeModule.enableCompileCache?.(join(import.meta.dirname, toPackage, '.cache', 'compiled'))
  const { main } = await import('./program.ts')
  process.exitCode = await main(words, process.env)
}
