/** What the chapters of the story of a release ask for. */

import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../../kubectl/support/eventually.ts'
import { liveObject, liveObjects, namesOf } from '../support/objects.ts'
import type { Player } from '../support/on-helm-cluster.ts'

export type Stage = ReturnType<typeof onStage>

interface ReleaseStatus {
  readonly version: number
  readonly info: { readonly status: string }
}

export function onStage({ major, cluster, ...player }: Player, name = 'shop') {
  const namespace = `${name}-${major}`
  const kubectl = () => player.kubectl(namespace)
  return {
    major,
    namespace,
    kubectl,
    helm: () => player.helm(namespace),
    cluster,
    /** What must be said of the images. */
    values: () => `--set global.image=${cluster().images.v1},guard.image=${cluster().imageOf('agnhost')}`,
    /** The chart as one file. */
    chart: () => join(cluster().directory, 'shop-1.0.0.tgz'),
    /** Both Helms have it, under two names. */
    rollbackOnFailure: major === 3 ? '--atomic' : '--rollback-on-failure',
    /** What a pod of the release is answered under the name of the Service. */
    ask: () => kubectl().ok('exec shop-store-0 -- wget -qO- http://shop-web/'),
    /** With --wait Helm 4 takes what it has not seen yet for gone, and may be back too early. */
    gone: (what: string) => eventually(async () => expect(await namesOf(kubectl(), what)).toEqual([])),
    uidsOf: async (what: string) => (await liveObjects(kubectl(), what)).map(({ metadata }) => metadata.uid).sort(),
    /** The password that was drawn at the first installation. */
    token: async () =>
      Buffer.from((await liveObject(kubectl(), 'secret shop-web')).data?.token ?? '', 'base64').toString(),
    history: () =>
      player.helm(namespace).json<{ revision: number; status: string; description: string }[]>('history shop'),
    /** Such as `2 deployed`. */
    state: async () => {
      const { version, info } = await player.helm(namespace).json<ReleaseStatus>('status shop')
      return `${version} ${info.status}`
    },
  }
}
