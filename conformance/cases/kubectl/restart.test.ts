/** The cluster's process ends, with and without a warning, and starts again: same objects, same containers. */

import { beforeAll, expect, test } from 'vitest'
import { containersOf } from './support/containers.ts'
import { eventually } from './support/eventually.ts'
import { type Load, startLoad } from './support/load.ts'
import { webDeployment, webParts } from './support/manifests.ts'
import { onCluster } from './support/on-cluster.ts'

const NAMESPACE = 'restart'

onCluster({ name: 'restart', range: 152 }, (cluster) => {
  const kubectl = () => cluster().kubectl(NAMESPACE)
  const identities = async () => {
    const kinds = 'configmaps,secrets,services,deployments,serviceaccounts,nodes,namespaces'
    return kubectl().field(`${kinds} -A --sort-by=.metadata.uid`, '{range .items[*]}{.metadata.uid} {end}')
  }
  /** Pod → its container and how often it was restarted. */
  const containers = async (app: string) => {
    const path =
      '{range .items[*]}{.metadata.uid}={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount},{end}'
    const text = await kubectl().field(`pods -l app=${app}`, path)
    return new Map(
      text
        .split(',')
        .slice(0, -1)
        .map((line) => line.split('=') as [string, string]),
    )
  }
  const startedAt = async (container: string) => {
    const id = container.replace(/^docker:\/\/(\S+) .*/, '$1')
    return (await cluster().engine.docker.getContainer(id).inspect()).State.StartedAt
  }
  const runningHere = async () => {
    const place = { cluster: cluster().name, namespace: NAMESPACE }
    return (await containersOf(cluster().engine, place, { running: true })).length
  }
  const webUrl = async () => `http://${await kubectl().field('service web', '{.spec.clusterIP}')}/`
  const answered = async (load: Load) => {
    const before = load.answers().length
    await eventually(() => expect(load.answers().length).toBeGreaterThan(before + 50))
  }

  beforeAll(async () => {
    await kubectl().ok(`create namespace ${NAMESPACE}`)
    await eventually(() => kubectl().ok('get serviceaccount default'))
    await kubectl().apply(webParts())
    await kubectl().ok(`create deployment bystander --image=${cluster().images.v1} --replicas=2`)
    await kubectl().apply(webDeployment({ image: cluster().images.v1, replicas: 6 }))
    await kubectl().ok('rollout status deployment/web --timeout=90s')
    await kubectl().ok('rollout status deployment/bystander --timeout=90s')
  })

  test('killed in the middle of a rolling update, it goes on where it was', async () => {
    const objects = await identities()
    const bystanders = await containers('bystander')
    const starts = await Promise.all([...bystanders.values()].map(startedAt))
    const load = startLoad([await webUrl()])
    await answered(load)
    await kubectl().ok(`set image deployment/web web=${cluster().images.v2}`)
    await eventually(async () => {
      const updated = Number(await kubectl().field('deployment web', '{.status.updatedReplicas}'))
      expect(updated).toBeGreaterThanOrEqual(2)
    })
    const killed = await cluster().processId()
    process.kill(killed, 'SIGKILL')
    await eventually(async () => expect(await kubectl().fails('get nodes')).toContain('refused'))
    await answered(load)
    const before = await Promise.all([...bystanders.values()].map(startedAt))
    expect(before).toEqual(starts)
    await cluster().start()
    expect(await cluster().processId()).not.toBe(killed)
    await kubectl().ok('rollout status deployment/web --timeout=120s')
    await load.stop()
    expect(load.failures().join('\n')).toBe('')
    expect(await identities()).toBe(objects)
    expect(await containers('bystander')).toEqual(bystanders)
    expect(await Promise.all([...bystanders.values()].map(startedAt))).toEqual(starts)
    await eventually(async () => {
      const pods = await containers('web')
      expect(pods.size).toBe(6)
      expect([...pods.values()].map((line) => line.split(' ')[1])).toEqual(Array(6).fill('0'))
    })
    const images = await kubectl().field('pods -l app=web', '{.items[*].spec.containers[0].image}')
    expect(new Set(images.split(' '))).toEqual(new Set([cluster().images.v2]))
  })

  test('killed while pods are made, it runs none of them twice', async () => {
    await kubectl().ok('scale deployment bystander --replicas=12')
    await eventually(async () => expect(await runningHere()).toBeGreaterThan(6))
    process.kill(await cluster().processId(), 'SIGKILL')
    await cluster().start()
    await kubectl().ok('rollout status deployment/bystander --timeout=90s')
    await eventually(async () => {
      const pods = (await kubectl().ok('get pods -o name')).trim().split('\n')
      expect(await runningHere()).toBe(2 * pods.length)
    })
  })

  test('stopped and started, it adopts what runs, and services answer all the while', async () => {
    const objects = await identities()
    const pods = await containers('web')
    const load = startLoad([await webUrl()])
    await answered(load)
    await cluster().t8s('stop')
    await answered(load)
    await cluster().start()
    await answered(load)
    await eventually(async () => {
      const ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
      expect(await kubectl().field('nodes', ready)).toBe('True True')
      expect(await kubectl().field('deployment web', '{.status.readyReplicas}')).toBe('6')
    })
    await load.stop()
    expect(load.failures().join('\n')).toBe('')
    expect(await containers('web')).toEqual(pods)
    expect(await identities()).toBe(objects)
    const [pod = ''] = (await kubectl().ok('get pods -l app=web -o name')).split('\n')
    expect(await kubectl().ok(`logs ${pod}`)).toContain('serving on 8080')
    expect(await kubectl().ok(`exec ${pod} -- echo still here`)).toBe('still here\n')
  })
})
