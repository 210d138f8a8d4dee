/** `npm run gen`: writes every `*.gen.ts`. */

import { join } from 'node:path'
import { show } from './command.ts'

process.exitCode = show(process.execPath, [join(import.meta.dirname, '..', 'openapi', 'generate.ts')])
