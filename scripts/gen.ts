/** `npm run gen`: writes everything that is generated from `openapi/facts`. */

import { join } from 'node:path'
import { show } from './command.ts'

process.exitCode = show(process.execPath, [join(import.meta.dirname, '..', 'openapi', 'generate.ts')])
