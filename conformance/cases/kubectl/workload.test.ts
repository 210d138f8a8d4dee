/** The story of a Deployment from its creation to the end of its namespace, told with every kubectl. */

import { beforeAll, describe, expect, test } from 'vitest'
import type { TestCluster } from './support/cluster.ts'
import { containersOf } from './support/containers.ts'
import { eventually } from './support/eventually.ts'
import { type Kubectl, type KubectlBinary, kubectlBinaries } from './support/kubectl.ts'
import { get, startLoad } from './support/load.ts'
import { CONFIG, webDeployment, webParts } from './support/manifests.ts'
import { onCluster } from './support/on-cluster.ts'

onCluster({ name: 'workload', range: 146 }, (cluster) => {
  for (const binary of kubectlBinaries()) {
    describe(`kubectl ${binary.version}`, () => tellStory(cluster, binary))
  }
})

function tellStory(cluster: () => TestCluster, binary: KubectlBinary): void {
  const namespace = `story-${binary.version.replace('.', '-').toLowerCase()}`
  const kubectl = () => cluster().kubectlOf(binary, namespace)
  const podNames = async () => (await kubectl().ok('get pods -l app=web -o name')).trim().split('\n')
  const settled = (timeout = '120s') => kubectl().ok(`rollout status deployment/web --timeout=${timeout}`)
  const happened = () => kubectl().ok(['get', 'events', '-o', 'wide', '--sort-by=.metadata.creationTimestamp'])
  const ready = async (count: number) => {
    await eventually(async () => {
      expect(await kubectl().field('deployment web', '{.status.readyReplicas}')).toBe(String(count))
      expect((await podNames()).length).toBe(count)
    }, 120_000)
  }

  beforeAll(async () => {
    await kubectl().ok(`create namespace ${namespace}`)
    await eventually(() => kubectl().ok('get serviceaccount default'))
  })

  describe('a Deployment of three', () => {
    test('rolls out over both nodes', async () => {
      await kubectl().apply(webParts())
      await kubectl().apply(webDeployment({ image: cluster().images.v1, replicas: 3 }))
      expect(await settled()).toContain('deployment "web" successfully rolled out')
      const rows = (await kubectl().ok('get pods -l app=web -o wide --no-headers')).trim().split('\n')
      expect(rows.length).toBe(3)
      const nodes = rows.map((row) => row.split(/\s+/)[6])
      expect([...new Set(nodes)].sort()).toEqual(cluster().nodes)
      expect(await kubectl().ok('get deployment web --no-headers')).toMatch(/^web +3\/3 +3 +3 +\d+s\n$/)
      expect(await kubectl().ok('get replicaset --no-headers')).toMatch(/^web-[a-z0-9]+ +3 +3 +3 +\d+s\n$/)
      expect(await kubectl().ok('get all -o name')).toContain('deployment.apps/web\nreplicaset.apps/web-')
      expect(await kubectl().ok('describe deployment web')).toContain('Scaled up replica set web-')
    })

    test('answers by its name, from all of its pods, with what it was given', async () => {
      await kubectl().ok(`run client --image=${cluster().images.v1} --restart=Never`)
      await kubectl().ok('wait --for=condition=Ready pod/client --timeout=60s')
      for (const name of ['web', `web.${namespace}`, `web.${namespace}.svc.cluster.local`])
        expect(await kubectl().ok(`exec client -- wget -qO- http://${name}/`)).toMatch(
          new RegExp(`^v1 pod=web-\\S+ node=\\S+ greeting=${CONFIG.greeting} secret=${CONFIG.token}\n$`),
        )
      const loop = 'for turn in $(seq 60); do wget -qO- http://web/; done'
      const answers = (await kubectl().ok(['exec', 'client', '--', 'sh', '-c', loop])).trim().split('\n')
      const servers = new Set(answers.map((line) => `pod/${/pod=(\S+)/.exec(line)?.[1]}`))
      expect([...servers].sort()).toEqual((await podNames()).toSorted())
      expect(await kubectl().ok('exec client -- nslookup kubernetes.default.svc.cluster.local')).toContain('Address')
    })

    test('answers on a port of every node', async () => {
      await kubectl().ok('expose deployment web --name=web-outside --type=NodePort --port=80 --target-port=http')
      for (const url of await nodePortUrls(kubectl()))
        await eventually(async () => expect(await get(url)).toMatch(/^v1 pod=web-/))
    })

    test('a pod that is not ready gets no requests', async () => {
      const [pod = ''] = await podNames()
      const readyAddresses = async () =>
        (await kubectl().field('endpoints web', '{.subsets[*].addresses[*].targetRef.name}')).split(' ').length
      await kubectl().ok(`exec ${pod} -- touch /tmp/unready`)
      await eventually(async () => expect(await readyAddresses()).toBe(2))
      expect(await kubectl().ok('get deployment web --no-headers')).toMatch(/^web +2\/3 +/)
      await kubectl().ok(`exec ${pod} -- rm /tmp/unready`)
      await eventually(async () => expect(await readyAddresses()).toBe(3))
    })

    test('scales to ten and to one', async () => {
      expect(await kubectl().ok('scale deployment web --replicas=10')).toBe('deployment.apps/web scaled\n')
      await settled()
      await ready(10)
      await kubectl().ok('scale deployment web --replicas=1 --current-replicas=10')
      await ready(1)
      await kubectl().ok('scale deployment web --replicas=3')
      await ready(3)
    })

    test('gets a new image and its old one back under load, without a failed request', async () => {
      const load = startLoad(await nodePortUrls(kubectl()))
      await eventually(() => expect(load.answers().length).toBeGreaterThan(20))
      await kubectl().ok(`set image deployment/web web=${cluster().images.v2}`)
      expect(await settled()).toContain('successfully rolled out')
      await eventually(() =>
        expect(
          load
            .answers()
            .slice(-20)
            .every((answer) => answer.startsWith('v2')),
        ).toBe(true),
      )
      expect(await kubectl().ok('rollout history deployment/web')).toMatch(/^1 +<none>\n2 +<none>$/m)
      expect(await kubectl().ok('rollout undo deployment/web')).toBe('deployment.apps/web rolled back\n')
      await settled()
      await eventually(() =>
        expect(
          load
            .answers()
            .slice(-20)
            .every((answer) => answer.startsWith('v1')),
        ).toBe(true),
      )
      await load.stop()
      expect(load.failures(), await happened()).toEqual([])
      expect(await kubectl().ok('rollout history deployment/web')).toMatch(/^2 +<none>\n3 +<none>$/m)
    })

    test('pauses, restarts and resumes a rollout', async () => {
      await kubectl().ok('rollout pause deployment/web')
      expect(await kubectl().fails('rollout restart deployment/web')).toContain("can't restart paused deployment")
      await kubectl().ok('rollout resume deployment/web')
      const before = await podNames()
      await kubectl().ok('rollout restart deployment/web')
      await settled()
      await ready(3)
      expect((await podNames()).filter((name) => before.includes(name))).toEqual([])
    })

    test('a killed container is started again in its pod', async () => {
      const [name = ''] = await podNames()
      const pod = name.replace('pod/', '')
      const uid = await kubectl().field(name, '{.metadata.uid}')
      const place = { cluster: cluster().name, namespace, pod, container: 'web' }
      const [container = ''] = await containersOf(cluster().engine, place, { running: true })
      await cluster().engine.docker.getContainer(container).kill()
      await eventually(async () => {
        const seen = '{.metadata.uid} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}'
        expect(await kubectl().field(name, seen)).toBe(`${uid} 1 true`)
      })
      const last = await kubectl().field(name, '{.status.containerStatuses[0].lastState.terminated}')
      expect(JSON.parse(last)).toMatchObject({ exitCode: 137, reason: 'Error' })
      expect(await kubectl().ok(`get ${name} --no-headers`)).toMatch(/ 1\/1 +Running +1 \(\d+s ago\) /)
    })

    test('a deleted pod is replaced', async () => {
      const [name = ''] = await podNames()
      await kubectl().ok(`delete ${name}`)
      await ready(3)
      expect(await podNames()).not.toContain(name)
    })

    test('a pod that is relabelled is replaced, and surplus when it returns', async () => {
      const before = await podNames()
      const [name = ''] = before
      await kubectl().ok(`label ${name} app=elsewhere --overwrite`)
      await ready(3)
      expect(await kubectl().field(name, '{.metadata.ownerReferences}')).toBe('')
      await kubectl().ok(`label ${name} app=web --overwrite`)
      await ready(3)
      await eventually(async () => expect((await podNames()).length).toBe(3))
    })
  })

  describe('single pods', () => {
    const pod = (name: string, container: object, spec: object = {}) =>
      kubectl().apply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'main', image: cluster().images.v1, ...container }],
            ...spec,
          },
        }),
      )

    test('a failing liveness probe restarts its container', async () => {
      const livenessProbe = {
        exec: { command: ['test', '!', '-f', '/tmp/dead'] },
        periodSeconds: 1,
        failureThreshold: 1,
      }
      await pod('fragile', { livenessProbe })
      await kubectl().ok('wait --for=condition=Ready pod/fragile --timeout=60s')
      await kubectl().ok('exec fragile -- touch /tmp/dead')
      await eventually(async () => {
        expect(await kubectl().field('pod fragile', '{.status.containerStatuses[0].restartCount}')).toBe('1')
      })
      const events = await kubectl().ok('events --for pod/fragile')
      expect(events).toMatch(/Warning +Unhealthy +Pod\/fragile +Liveness probe failed/)
      expect(events).toMatch(/Normal +Killing +Pod\/fragile +Container main failed liveness probe, will be restarted/)
    })

    test('a container over its memory limit is OOMKilled', async () => {
      const command = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M']
      await pod('greedy', { command, resources: { limits: { memory: '32Mi' } } }, { restartPolicy: 'Never' })
      await eventually(async () => {
        const state = await kubectl().field('pod greedy', '{.status.containerStatuses[0].state.terminated}')
        expect(JSON.parse(state || '{}')).toMatchObject({ reason: 'OOMKilled', exitCode: 137 })
      })
      expect(await kubectl().ok('get pod greedy --no-headers')).toMatch(/^greedy +0\/1 +OOMKilled +0 +/)
    })

    test('a container that fails again and again waits longer each time', async () => {
      await pod('crasher', { command: ['sh', '-c', 'echo trying; exit 3'] })
      await eventually(async () => {
        expect(await kubectl().ok('get pod crasher --no-headers')).toMatch(/^crasher +0\/1 +CrashLoopBackOff +[1-9]/)
      })
      expect(await kubectl().ok('logs crasher')).toBe('trying\n')
    })
  })

  test('a namespace that is deleted takes every container with it', async () => {
    const place = { cluster: cluster().name, namespace }
    expect((await containersOf(cluster().engine, place)).length).toBeGreaterThan(6)
    await kubectl().ok(`delete namespace ${namespace} --timeout=90s`)
    expect(await kubectl().fails(`get namespace ${namespace}`)).toContain('not found')
    expect(await containersOf(cluster().engine, place)).toEqual([])
  })
}

async function nodePortUrls(kubectl: Kubectl): Promise<readonly string[]> {
  const port = await kubectl.field('service web-outside', '{.spec.ports[0].nodePort}')
  const addresses = await kubectl.field('nodes', '{.items[*].status.addresses[?(@.type=="InternalIP")].address}')
  return addresses.split(' ').map((address) => `http://${address}:${port}/`)
}
