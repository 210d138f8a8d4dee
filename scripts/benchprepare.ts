/** `npm run bench:prepare`: builds what `npm run bench` needs, once on this machine. */

import { prepare } from '../bench/prepare.ts'
import { buildIfStale } from './build.ts'
import { say } from './command.ts'

await buildIfStale()
await prepare({ say })
say('everything that is measured is built')
