/** `npm run check`: types, lint, tidy and unit tests, in under a minute. */

import { show } from './command.ts'

const steps: readonly (readonly [string, readonly string[]])[] = [
  ['tsc', ['--noEmit', '-p', 'tsconfig.json']],
  ['biome', ['check', '.']],
  ['vitest', ['run', '--project', 'unit']],
]
process.exitCode = steps.map(([command, parameters]) => show(command, parameters)).find((code) => code !== 0) ?? 0
