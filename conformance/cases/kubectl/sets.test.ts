/** StatefulSets and DaemonSets: names that stay, an order that is kept, one pod on every node. */

import { describe, expect, test } from 'vitest'
import { containersOnNode } from './support/containers.ts'
import { eventually } from './support/eventually.ts'
import { onCluster } from './support/on-cluster.ts'

const NAMESPACE = 'sets'

onCluster({ name: 'sets', range: 148 }, (cluster) => {
  const kubectl = () => cluster().kubectl(NAMESPACE)
  const podNames = async (app: string) =>
    (await kubectl().ok(`get pods -l app=${app} --sort-by=.metadata.name -o jsonpath={.items[*].metadata.name}`)).split(
      ' ',
    )
  const set = (kind: string, app: string, spec: object) =>
    kubectl().apply(
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind,
        metadata: { name: app },
        spec: {
          selector: { matchLabels: { app } },
          template: {
            metadata: { labels: { app } },
            spec: {
              terminationGracePeriodSeconds: 5,
              containers: [
                {
                  name: 'web',
                  image: cluster().images.v1,
                  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                },
              ],
            },
          },
          ...spec,
        },
      }),
    )

  describe('a StatefulSet', () => {
    /** Standard output of `get -w`: one line per change, `NAME READY STATUS …`. */
    const orderOf = (text: string, matches: (columns: readonly string[]) => boolean) => {
      const rows = text.split('\n').map((line) => line.split(/ +/))
      return [...new Set(rows.filter(matches).map(([name]) => name))]
    }

    test('starts one after the other, each with a name of its own', async () => {
      await kubectl().ok(`create namespace ${NAMESPACE}`)
      await eventually(() => kubectl().ok('get serviceaccount default'))
      await kubectl().ok('create service clusterip ordered --clusterip=None --tcp=80:8080')
      await using watching = kubectl().start('get pods -l app=ordered --watch --no-headers')
      await set('StatefulSet', 'ordered', { serviceName: 'ordered', replicas: 3 })
      expect(await kubectl().ok('rollout status statefulset/ordered --timeout=90s')).toContain('3 new pods')
      expect(await podNames('ordered')).toEqual(['ordered-0', 'ordered-1', 'ordered-2'])
      await watching.prints(/ordered-2 +1\/1/)
      const lines = watching.stdout().split('\n')
      const at = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line))
      for (const [earlier, later] of [
        [/ordered-0 +1\/1/, /ordered-1 +0\/1/],
        [/ordered-1 +1\/1/, /ordered-2 +0\/1/],
      ] as const)
        expect(at(earlier), watching.stdout()).toBeLessThan(at(later))
      for (const pod of await podNames('ordered'))
        expect((await kubectl().ok(`exec ${pod} -- hostname`)).trim()).toBe(pod)
    })

    test('each is found by its own name', async () => {
      const address = await kubectl().field('pod ordered-1', '{.status.podIP}')
      const name = `ordered-1.ordered.${NAMESPACE}.svc.cluster.local`
      await eventually(async () => {
        expect(await kubectl().ok(`exec ordered-0 -- nslookup ${name}`)).toContain(`Address: ${address}`)
      })
      expect(await kubectl().ok(`exec ordered-0 -- wget -qO- http://${name}:8080/`)).toMatch(/^v1 /)
    })

    test('a deleted one comes back under its name', async () => {
      const before = await kubectl().field('pod ordered-1', '{.metadata.uid}')
      await kubectl().ok('delete pod ordered-1')
      await eventually(async () => {
        expect(await kubectl().field('pod ordered-1', '{.metadata.uid}')).not.toBe(before)
      })
      await kubectl().ok('wait --for=condition=Ready pod/ordered-1 --timeout=60s')
    })

    test('is updated from the last to the first', async () => {
      await using watching = kubectl().start('get pods -l app=ordered --watch --no-headers')
      await watching.prints(/ordered-2/)
      await kubectl().ok(`set image statefulset/ordered web=${cluster().images.v2}`)
      await kubectl().ok('rollout status statefulset/ordered --timeout=120s')
      const terminating = ([, , status]: readonly string[]) => status === 'Terminating'
      await eventually(() =>
        expect(orderOf(watching.stdout(), terminating)).toEqual(['ordered-2', 'ordered-1', 'ordered-0']),
      )
      const images = '{.items[*].spec.containers[0].image}'
      expect(new Set((await kubectl().field('pods -l app=ordered', images)).split(' '))).toEqual(
        new Set([cluster().images.v2]),
      )
      expect(await kubectl().ok('rollout history statefulset/ordered')).toMatch(/^1 +<none>\n2 +<none>$/m)
    })

    test('stops in the opposite order', async () => {
      await using watching = kubectl().start('get pods -l app=ordered --watch --no-headers')
      await watching.prints(/ordered-2/)
      await kubectl().ok('scale statefulset ordered --replicas=1')
      await eventually(async () => expect(await podNames('ordered')).toEqual(['ordered-0']))
      const terminating = ([, , status]: readonly string[]) => status === 'Terminating'
      await eventually(() => expect(orderOf(watching.stdout(), terminating)).toEqual(['ordered-2', 'ordered-1']))
    })
  })

  describe('a DaemonSet', () => {
    const nodesOf = async () =>
      (await kubectl().field('pods -l app=everywhere', '{.items[*].spec.nodeName}')).split(' ').sort()
    const added = () => `${cluster().name}-added`

    test('has one pod on every node', async () => {
      await set('DaemonSet', 'everywhere', {})
      expect(await kubectl().ok('rollout status daemonset/everywhere --timeout=60s')).toContain(
        'successfully rolled out',
      )
      expect(await nodesOf()).toEqual(cluster().nodes)
      expect(await kubectl().ok('get daemonset everywhere --no-headers')).toMatch(/^everywhere +2 +2 +2 +2 +2 +<none>/)
    })

    test('also on a node that is added, whose pods reach the others', async () => {
      expect(await cluster().t8s('create', 'node', added())).toContain(`node/${added()} created`)
      await kubectl().ok(`wait --for=condition=Ready node/${added()} --timeout=60s`)
      await eventually(async () => expect(await nodesOf()).toEqual([added(), ...cluster().nodes].sort()))
      await kubectl().ok('rollout status daemonset/everywhere --timeout=60s')
      const pods = await kubectl().ok(`get pods -l app=everywhere --field-selector=spec.nodeName=${added()} -o name`)
      const address = await kubectl().field('pod ordered-0', '{.status.podIP}')
      expect(await kubectl().ok(`exec ${pods.trim()} -- wget -qO- http://${address}:8080/`)).toMatch(/^v2 /)
    })

    test('is updated node by node', async () => {
      await kubectl().ok(`set image daemonset/everywhere web=${cluster().images.v2}`)
      await kubectl().ok('rollout status daemonset/everywhere --timeout=120s')
      const images = '{.items[*].spec.containers[0].image}'
      await eventually(async () => {
        expect((await kubectl().field('pods -l app=everywhere', images)).split(' ')).toEqual(
          Array(3).fill(cluster().images.v2),
        )
      })
    })

    test('a node that is removed takes its containers with it', async () => {
      expect((await containersOnNode(cluster().engine, cluster().name, added())).length).toBeGreaterThan(2)
      expect(await cluster().t8s('delete', 'node', added())).toContain(`node/${added()} deleted`)
      expect(await containersOnNode(cluster().engine, cluster().name, added())).toEqual([])
      expect(await kubectl().fails(`get node ${added()}`)).toContain('not found')
    })
  })
})
