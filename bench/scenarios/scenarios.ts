/** Everything that is measured, in the order it runs. */

import type { Scenario } from '../scenario.ts'
import { crud } from './crud.ts'
import { deployment } from './deployment.ts'
import { docker } from './docker/docker.ts'
import { firstPod } from './first-pod.ts'
import { growth } from './growth.ts'
import { idleNodes } from './idle.ts'
import { lists } from './lists.ts'
import { namespace } from './namespace.ts'
import { scheduling } from './scheduling.ts'
import { start } from './start.ts'
import { volume } from './volume.ts'
import { watches } from './watches.ts'
import { writeThroughput } from './write-throughput.ts'

export const SCENARIOS: readonly Scenario[] = [
  start,
  firstPod,
  crud,
  writeThroughput,
  lists,
  watches,
  deployment,
  ...scheduling,
  namespace,
  idleNodes(100),
  idleNodes(1_000),
  volume,
  growth,
  docker,
]
