/** Everything that is measured, in the order it runs. */

import type { Scenario } from '../scenario.ts'
import { cores } from './cores.ts'
import { crud } from './crud.ts'
import { deployment } from './deployment.ts'
import { docker } from './docker/docker.ts'
import { firstPod } from './first-pod.ts'
import { growth } from './growth.ts'
import { idle } from './idle.ts'
import { informers } from './informers.ts'
import { kubectl } from './kubectl.ts'
import { largeLists, lists } from './lists.ts'
import { namespace } from './namespace.ts'
import { openLoop } from './open-loop.ts'
import { scheduling } from './scheduling/scheduling.ts'
import { start } from './start.ts'
import { user } from './user.ts'
import { volume } from './volume.ts'
import { storm, watches } from './watches.ts'
import { writeThroughput } from './write-throughput.ts'

export const SCENARIOS: readonly Scenario[] = [
  start,
  firstPod,
  crud,
  user,
  openLoop,
  writeThroughput,
  lists,
  largeLists,
  watches,
  storm,
  informers,
  deployment,
  ...scheduling,
  namespace,
  ...idle,
  volume,
  growth,
  docker,
  kubectl,
  cores,
]
