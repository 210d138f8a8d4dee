/** `npm run t8s -- <command>`: the command line of this checkout. */

import { join } from 'node:path'
import { buildIfStale } from './build.ts'
import { show } from './command.ts'

await buildIfStale()
const command = join(import.meta.dirname, '..', 'dist', 't8s.js')
process.exitCode = show(process.execPath, [command, ...process.argv.slice(2)], { stdio: 'inherit' })
