/** Cases of both Helms on one cluster with real pods. What they need is built when it is missing, or they are skipped. */

import { say } from '../../../../scripts/command.ts'
import { buildHelms, HELMS, type HelmBinary } from '../../../helm.ts'
import { builtProgram, upstreamPrograms } from '../../../upstream.ts'
import { reasonToSkip, type TestCluster } from '../../kubectl/support/cluster.ts'
import type { Kubectl } from '../../kubectl/support/kubectl.ts'
import { onCluster } from '../../kubectl/support/on-cluster.ts'
import { createHelm, type Helm } from './helm.ts'

export interface HelmPlan {
  /** Part of the cluster's name: short, of its own. */
  readonly name: string
  /** The second byte of the pods' range; the services' is one more. */
  readonly range: number
}

/** One Helm and a cluster. What it gives may be asked for inside of tests and hooks only. */
export interface Player {
  readonly major: 3 | 4
  cluster(): TestCluster
  helm(namespace: string): Helm
  kubectl(namespace: string): Kubectl
}

/** For a machine that has none of the programs: more would make its first run too long. In minutes. */
const BUILD_MINUTES_MAX = 30

const reason = (await reasonToSkip()) ?? (await reasonWithoutPrograms())

export function onHelmCluster(plan: HelmPlan, body: (older: Player, newer: Player) => void): void {
  const programs = { agnhost: builtProgram('agnhost') ?? '' }
  const play = (cluster: () => TestCluster) => {
    const [older, newer] = HELMS
    body(playerOf(older, cluster), playerOf(newer, cluster))
  }
  onCluster({ ...plan, client: 'helm', programs }, play, reason)
}

function playerOf(binary: HelmBinary, cluster: () => TestCluster): Player {
  return {
    major: binary.major,
    cluster,
    kubectl: (namespace) => cluster().kubectl(namespace),
    helm: (namespace) => createHelm({ binary, namespace, home: cluster().home, kubeconfig: cluster().kubeconfig }),
  }
}

async function reasonWithoutPrograms(): Promise<string | undefined> {
  const options = { say, minutesMax: BUILD_MINUTES_MAX }
  const upstream = await upstreamPrograms(['agnhost'], options)
  return upstream.available ? buildHelms(options) : upstream.reason
}
