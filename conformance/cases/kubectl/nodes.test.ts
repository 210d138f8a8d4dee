/** Nodes that are closed, emptied, tainted and lost. */

import { beforeAll, describe, expect, test } from 'vitest'
import { killNode, sandboxOfNode } from './support/containers.ts'
import { eventually } from './support/eventually.ts'
import { kubectlBinaries } from './support/kubectl.ts'
import { webDeployment, webParts } from './support/manifests.ts'
import { onCluster } from './support/on-cluster.ts'

const NAMESPACE = 'nodes'

/** A node that says nothing is lost after 50 s, and its pods, which tolerate that for a second, are replaced then. */
const LOST_MS_MAX = 120_000

const TWENTY_REQUESTS = 'for turn in $(seq 20); do timeout 2 wget -qO- http://web/ || exit 1; done'

onCluster({ name: 'nodes', range: 150 }, (cluster) => {
  const binaries = kubectlBinaries()
  const kubectl = () => cluster().kubectl(NAMESPACE)
  const placesOf = async () => {
    const text = await kubectl().field('pods -l app=web', '{range .items[*]}{.spec.nodeName} {.status.phase} {end}')
    return text.trim().split(' ')
  }

  beforeAll(async () => {
    await kubectl().ok(`create namespace ${NAMESPACE}`)
    await eventually(() => kubectl().ok('get serviceaccount default'))
    await kubectl().apply(webParts())
  })

  for (const binary of binaries) {
    test(`kubectl ${binary.version} cordons, uncordons and taints`, async () => {
      const here = cluster().kubectlOf(binary, NAMESPACE)
      const [node] = cluster().nodes
      expect(await here.ok(`cordon ${node}`)).toBe(`node/${node} cordoned\n`)
      expect(await here.ok(`cordon ${node}`)).toBe(`node/${node} already cordoned\n`)
      expect(await here.ok(`get node ${node} --no-headers`)).toMatch(/ Ready,SchedulingDisabled /)
      expect(await here.ok(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`)
      expect(await here.ok(`taint node ${node} for=tests:NoSchedule`)).toBe(`node/${node} tainted\n`)
      expect(await here.fails(`taint node ${node} for=tests:NoSchedule`)).toContain('already has')
      expect(await here.field(`node ${node}`, '{.spec.taints[?(@.key=="for")].effect}')).toBe('NoSchedule')
      expect(await here.ok(`taint node ${node} for-`)).toBe(`node/${node} untainted\n`)
      await here.ok(`label node ${node} disk=fast`)
      expect(await here.ok('get nodes -l disk=fast -o name')).toBe(`node/${node}\n`)
      await here.ok(`label node ${node} disk-`)
    })
  }

  test('debug opens a shell on a node, with the host beneath it', async () => {
    const [node] = cluster().nodes
    const image = `--image=${cluster().images.v1}`
    await using terminal = await kubectl().terminal(`debug node/${node} -it ${image} -- sh`)
    await terminal.prints('# ')
    terminal.write('hostname; ls /host/etc/hostname\n')
    await terminal.prints(`${node}\r\n/host/etc/hostname\r\n`)
    terminal.write('exit\n')
    await terminal.exit
    await kubectl().ok('delete pods --all')
  })

  test('a pod that no node takes says why, and starts when one does', async () => {
    for (const node of cluster().nodes) await kubectl().ok(`taint node ${node} closed=yes:NoSchedule`)
    await kubectl().ok(`run waiting --image=${cluster().images.v1}`)
    await eventually(async () => {
      const message = '{.status.conditions[?(@.type=="PodScheduled")].message}'
      expect(await kubectl().field('pod waiting', message)).toMatch(
        /^0\/2 nodes are available: 2 node\(s\) had untolerated taint/,
      )
    })
    expect(await kubectl().ok('events --for pod/waiting --types=Warning')).toContain('FailedScheduling')
    for (const node of cluster().nodes) await kubectl().ok(`taint node ${node} closed-`)
    await kubectl().ok('wait --for=condition=Ready pod/waiting --timeout=60s')
    await kubectl().ok('delete pod waiting')
  })

  test('a NoExecute taint drives pods away', async () => {
    const [node, other] = cluster().nodes
    await kubectl().apply(webDeployment({ image: cluster().images.v1, replicas: 4 }))
    await kubectl().ok('rollout status deployment/web --timeout=90s')
    expect(await placesOf()).toContain(node)
    await kubectl().ok(`taint node ${node} away=now:NoExecute`)
    await eventually(async () => expect(await placesOf()).toEqual(Array(4).fill([other, 'Running']).flat()))
    await kubectl().ok(`taint node ${node} away-`)
  })

  for (const binary of [binaries.at(0), binaries.at(-1)].filter((ends) => ends !== undefined)) {
    test(`kubectl ${binary.version} drains a node, as far as a budget lets it`, async () => {
      const here = cluster().kubectlOf(binary, NAMESPACE)
      await here.ok('rollout restart deployment/web')
      await here.ok('rollout status deployment/web --timeout=90s')
      const [node] = (await placesOf()) as [string]
      await here.ok('create poddisruptionbudget careful --selector=app=web --min-available=3')
      await eventually(async () => {
        expect(await here.field('poddisruptionbudget careful', '{.status.disruptionsAllowed}')).toBe('1')
      })
      await here.ok(`run alone --image=${cluster().images.v1} --overrides={"spec":{"nodeName":"${node}"}}`)
      const refusal = await here.fails(`drain ${node} --ignore-daemonsets --timeout=60s`)
      expect(refusal).toContain('cannot delete')
      const drained = await here.ok(`drain ${node} --ignore-daemonsets --force --timeout=90s`)
      expect(drained).toContain(`node/${node} drained`)
      expect(drained).toMatch(/evicting pod nodes\/web-|pod\/web-\S+ evicted/)
      expect(await here.ok(`get pods --field-selector=spec.nodeName=${node} -o name`)).toBe('')
      await here.ok('rollout status deployment/web --timeout=60s')
      await here.ok(`uncordon ${node}`)
      await here.ok('delete poddisruptionbudget careful')
    })
  }

  test('a node whose sandbox ends is made anew, with its pods and their network', async () => {
    const [other, node] = cluster().nodes
    await kubectl().ok('rollout restart deployment/web')
    await kubectl().ok('rollout status deployment/web --timeout=90s')
    await kubectl().ok(`run client --image=${cluster().images.v1} --overrides={"spec":{"nodeName":"${other}"}}`)
    await kubectl().ok('wait --for=condition=Ready pod/client --timeout=60s')
    const before = await sandboxOfNode(cluster().engine, cluster().name, node)
    await cluster().engine.docker.getContainer(before).kill()
    await eventually(async () => {
      expect(await sandboxOfNode(cluster().engine, cluster().name, node)).not.toBe(before)
    })
    await eventually(async () => {
      const answers = await kubectl().ok(['exec', 'client', '--', 'sh', '-c', TWENTY_REQUESTS])
      expect(answers).toContain(`node=${node}`)
      expect(answers.trim().split('\n').length).toBe(20)
    })
    await kubectl().ok('delete pod client')
  })

  describe('a node that is lost', () => {
    const lost = () => cluster().nodes[1]
    const kept = () => cluster().nodes[0]

    test('turns NotReady, and its pods are replaced elsewhere', async () => {
      const tolerations = ['not-ready', 'unreachable'].map((reason) => ({
        key: `node.kubernetes.io/${reason}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 1,
      }))
      await kubectl().apply(webDeployment({ image: cluster().images.v2, replicas: 4, pod: { tolerations } }))
      await kubectl().ok('rollout status deployment/web --timeout=90s')
      expect(await placesOf()).toContain(lost())
      await kubectl().ok(['create', '--raw', `/t8s/nodes/${lost()}/stop`, '-f', '/dev/null'])
      expect(await killNode(cluster().engine, cluster().name, lost())).toBeGreaterThan(2)
      await eventually(
        async () => expect(await kubectl().ok(`get node ${lost()} --no-headers`)).toMatch(/ NotReady /),
        LOST_MS_MAX,
      )
      await eventually(async () => {
        const pods = JSON.parse(await kubectl().ok('get pods -l app=web -o json')).items as readonly Pod[]
        const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        expect(living.map(({ spec }) => spec.nodeName)).toEqual(Array(4).fill(kept()))
      }, LOST_MS_MAX)
      await kubectl().ok('wait --for=condition=Available deployment/web --timeout=60s')
      expect(await kubectl().ok(`describe node ${lost()}`)).toContain('NodeStatusUnknown')
    })

    test('joins again when it comes back, and takes pods', async () => {
      await cluster().t8s('create', 'node', lost())
      await kubectl().ok(`wait --for=condition=Ready node/${lost()} --timeout=90s`)
      await eventually(async () => expect((await placesOf()).length).toBe(8))
      await eventually(async () => {
        expect(await kubectl().field(`node ${lost()}`, '{.spec.taints}')).toBe('')
      })
      await kubectl().ok(`cordon ${kept()}`)
      await kubectl().ok('rollout restart deployment/web')
      await kubectl().ok('rollout status deployment/web --timeout=90s')
      await eventually(async () => expect(await placesOf()).toEqual(Array(4).fill([lost(), 'Running']).flat()))
      const client = JSON.stringify({ spec: { nodeName: kept() } })
      await kubectl().ok(`run client --image=${cluster().images.v1} --overrides=${client}`)
      await kubectl().ok('wait --for=condition=Ready pod/client --timeout=60s')
      expect(await kubectl().ok('exec client -- wget -qO- http://web/')).toContain(`node=${lost()}`)
    })
  })
})

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string }
  readonly spec: { readonly nodeName?: string }
}
