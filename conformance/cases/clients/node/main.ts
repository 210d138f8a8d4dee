/** `node main.ts operator`: NAMESPACE and IDENTITY say where and as whom. `node main.ts tour`: what else is asked. */

import { KubeConfig } from '@kubernetes/client-node'
import { runOperator } from './operator.ts'
import { takeTour } from './tour.ts'

const config = new KubeConfig()
config.loadFromDefault()
const namespace = process.env.NAMESPACE ?? 'default'

if (process.argv[2] === 'operator') await runOperator(config, { namespace, identity: process.env.IDENTITY ?? 'one' })
else process.exit(await takeTour(config, namespace, process.env.EXPIRED ?? ''))
