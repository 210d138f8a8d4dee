/** Whose a field, an object and a release is: three-way merge, server-side apply, adoption, stores, and both Helms. */

import { beforeAll, describe, expect, test } from 'vitest'
import type { Kubectl } from '../kubectl/support/kubectl.ts'
import type { Helm } from './support/helm.ts'
import { liveObject, liveObjects, managersOf, namesOf } from './support/objects.ts'
import { onHelmCluster, type Player } from './support/on-helm-cluster.ts'

const WAIT = '--wait --timeout 120s'

onHelmCluster({ name: 'ownership', range: 168 }, (older, newer) => {
  for (const player of [older, newer])
    describe(`Helm ${player.major}`, () => {
      describe('an object', () => ownsObjects(player))
      describe('a release', () => keepsReleases(player))
    })
  describe('fields of Helm 3', () => mergesThreeWays(onStage(older, 'merged')))
  describe('fields of Helm 4 without server-side apply', () =>
    mergesThreeWays(onStage(newer, 'merged-by-4'), '--server-side=false'))
  describe('fields of Helm 4', () => applies(onStage(newer, 'applied')))
  describe('a release of Helm 3', () => movesOn(onStage(older, 'moved'), onStage(newer, 'moved')))
})

interface Stage {
  readonly helm: () => Helm
  readonly kubectl: () => Kubectl
  /** Of the web server. */
  readonly image: () => string
}

function onStage(player: Player, namespace: string): Stage {
  return {
    helm: () => player.helm(namespace),
    kubectl: () => player.kubectl(namespace),
    image: () => player.cluster().images.v1,
  }
}

const dataOf = async (kubectl: Kubectl, name: string) => (await liveObject(kubectl, `configmap ${name}`)).data
const patch = (kubectl: Kubectl, object: string, change: object) =>
  kubectl.ok(['patch', ...object.split(' '), '--type=merge', '--patch', JSON.stringify(change)])

/** What somebody does past Helm: fields of the chart get other values, and the objects get fields of others. */
async function changeLive(kubectl: Kubectl): Promise<void> {
  await patch(kubectl, 'configmap live', { data: { color: 'red', shape: 'round' } })
  await patch(kubectl, 'widget live', { spec: { size: 7, note: 'mine' } })
  await kubectl.ok('scale deployment live --replicas=2')
  await kubectl.ok('set env deployment live EXTRA=1 MODE=fancy')
  await kubectl.ok('annotate deployment live example.com/by=hand')
}

async function deploymentOf(kubectl: Kubectl): Promise<object> {
  const { metadata } = await liveObject(kubectl, 'deployment live')
  const field = (path: string) => kubectl.field('deployment live', path)
  return {
    replicas: await field('{.spec.replicas}'),
    env: await field('{range .spec.template.spec.containers[0].env[*]}{.name}={.value} {end}'),
    by: metadata.annotations?.['example.com/by'],
  }
}

/** Helm compares what it made last, what it makes now and what is live, and patches the difference. */
function mergesThreeWays({ helm, kubectl, image }: Stage, flag = ''): void {
  const words = (line: string) => (flag === '' ? line : `${line} ${flag}`)
  const values = () => `--set image=${image()},widget.enabled=true`

  test('is the one who wrote', async () => {
    await helm().ok(words(`install live settings ${values()} --create-namespace ${WAIT}`))
    for (const what of ['configmap live', 'deployment live', 'widget live'])
      expect(managersOf(await liveObject(kubectl(), what)), what).toEqual(['helm Update'])
  })

  test('takes its fields back and leaves those of others', async () => {
    await changeLive(kubectl())
    await helm().ok(words(`upgrade live settings --reuse-values --set data.size=large ${WAIT}`))
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue', size: 'large', shape: 'round' })
    expect(await deploymentOf(kubectl())).toEqual({ replicas: '1', env: 'MODE=plain EXTRA=1 ', by: 'hand' })
  })

  test('compares custom resources with what it made last only', async () => {
    expect((await liveObject(kubectl(), 'widget live')).spec).toEqual({ size: 7, note: 'mine' })
    await helm().ok(words('upgrade live settings --reuse-values --set widget.size=2'))
    expect((await liveObject(kubectl(), 'widget live')).spec).toEqual({ size: 2, note: 'mine' })
  })

  test('removes what it does not make any more', async () => {
    await helm().ok(words(`upgrade live settings ${values()},data.size=null,env.MODE=null,env.OTHER=2`))
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue', shape: 'round' })
    expect(await deploymentOf(kubectl())).toMatchObject({ env: 'EXTRA=1 OTHER=2 ' })
  })

  test('makes again what somebody deleted', async () => {
    await kubectl().ok('delete configmap live')
    await helm().ok(words(`upgrade live settings ${values()},data.size=null`))
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue' })
    await helm().ok('uninstall live --wait')
    expect(await namesOf(kubectl(), 'deployments,widgets')).toEqual([])
  })
}

/** The server knows whose each field is, and merges. */
function applies({ helm, kubectl, image }: Stage): void {
  const values = () => `--set image=${image()},widget.enabled=true`
  const upgrade = (change: string) => `upgrade live settings ${values()},${change}`

  test('is the one who applied', async () => {
    await helm().ok(`install live settings ${values()} --create-namespace ${WAIT}`)
    for (const what of ['configmap live', 'deployment live', 'widget live'])
      expect(managersOf(await liveObject(kubectl(), what)), what).toEqual(['helm Apply'])
    expect(await helm().ok('get metadata live')).toContain('APPLY_METHOD: server-side apply')
  })

  test('takes nothing from others without being told to', async () => {
    await changeLive(kubectl())
    const told = await helm().fails(upgrade('data.size=large'))
    expect(told).toContain('conflict occurred while applying object applied/live /v1, Kind=ConfigMap')
    expect(told).toContain('Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: .data.color')
    expect(told).toContain(
      'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n- .spec.replicas\n' +
        'conflicts with "kubectl-set" using apps/v1:\n- .spec.template.spec.containers[name="web"].env[name="MODE"].value',
    )
    expect(told).toContain('conflict with "kubectl-patch" using settings.example.com/v1: .spec.size')
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'red', size: 'small', shape: 'round' })
  })

  test('takes its fields when it is told to, and leaves those of others', async () => {
    await helm().ok(`${upgrade('data.size=large')} --force-conflicts ${WAIT}`)
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue', size: 'large', shape: 'round' })
    expect(await deploymentOf(kubectl())).toEqual({ replicas: '1', env: 'MODE=plain EXTRA=1 ', by: 'hand' })
    const widget = await liveObject(kubectl(), 'widget live')
    expect(widget.spec).toEqual({ size: 1, note: 'mine' })
    expect(managersOf(widget)).toEqual(['helm Apply', 'kubectl-patch Update'])
    const theirs = widget.metadata.managedFields?.find(({ manager }) => manager === 'kubectl-patch')
    expect(theirs?.fieldsV1).toEqual({ 'f:spec': { 'f:note': {} } })
  })

  test('removes what it does not make any more, unless somebody else applies it, too', async () => {
    const shared = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'live' }, data: { color: 'blue' } }
    await kubectl().ok('apply --server-side -f -', { input: JSON.stringify(shared) })
    await helm().ok(upgrade('data.color=null,data.size=null,data.weight=light'))
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue', shape: 'round', weight: 'light' })
    expect(managersOf(await liveObject(kubectl(), 'configmap live'))).toEqual([
      'helm Apply',
      'kubectl Apply',
      'kubectl-patch Update',
    ])
  })

  test('waits in each of its ways', async () => {
    for (const way of ['watcher', 'legacy', 'hookOnly'])
      await helm().ok(`${upgrade(`env.WAY=${way}`)} --wait=${way} --timeout 120s`)
    expect(await helm().ok('uninstall live --wait=watcher')).toContain('release "live" uninstalled')
    expect(await namesOf(kubectl(), 'deployments,widgets')).toEqual([])
  })
}

function ownsObjects(player: Player): void {
  const namespace = `objects-${player.major}`
  const { helm, kubectl } = onStage(player, namespace)

  beforeAll(async () => void (await kubectl().ok(`create namespace ${namespace}`)))

  test('without an owner is taken when it is said, and keeps its identity', async () => {
    await kubectl().ok('create configmap found --from-literal=color=green --from-literal=origin=hand')
    const told = await helm().fails('install found settings')
    expect(told).toContain(`ConfigMap "found" in namespace "${namespace}" exists and cannot be imported`)
    expect(told).toContain('missing key "app.kubernetes.io/managed-by": must be set to "Helm"')
    const before = await liveObject(kubectl(), 'configmap found')
    const force = player.major === 3 ? '' : ' --force-conflicts'
    await helm().ok(`install found settings --take-ownership${force}`)
    const { metadata, data } = await liveObject(kubectl(), 'configmap found')
    expect(metadata.uid).toBe(before.metadata.uid)
    expect(metadata.annotations).toMatchObject({ 'meta.helm.sh/release-name': 'found' })
    expect(data).toEqual({ color: 'blue', size: 'small', origin: 'hand' })
  })

  test('of one release is refused to another', async () => {
    const told = await helm().fails('install second settings --set name=found')
    expect(told).toContain(
      'annotation validation error: key "meta.helm.sh/release-name" must equal "second": current value is "found"',
    )
    expect(await helm().json('list --short --filter second')).toEqual([])
    expect(await helm().fails('install found settings')).toContain('cannot re')
  })

  test('comes and goes with an upgrade, unless it is to be kept', async () => {
    await helm().ok('upgrade --install both settings --set kept=true,widget.enabled=true')
    expect(await namesOf(kubectl(), 'configmaps,widgets --field-selector metadata.name!=kube-root-ca.crt')).toEqual([
      'configmap/both',
      'configmap/both-kept',
      'configmap/found',
      'widget.settings.example.com/both',
    ])
    await helm().ok('upgrade --install both settings --set name=other')
    expect(await dataOf(kubectl(), 'other')).toEqual({ color: 'blue', size: 'small' })
    expect(await namesOf(kubectl(), 'configmaps,widgets --field-selector metadata.name!=kube-root-ca.crt')).toEqual([
      'configmap/both-kept',
      'configmap/found',
      'configmap/other',
    ])
  })
}

function keepsReleases(player: Player): void {
  const namespace = `releases-${player.major}`
  const { helm, kubectl } = onStage(player, namespace)
  const recorded = (kind: string) => namesOf(kubectl(), `${kind} -l owner=helm`)

  test('is found by its labels and keeps as many revisions as it is told', async () => {
    await helm().ok('install first settings --create-namespace --labels team=blue --description begun')
    expect(await helm().json('list --selector team=blue')).toMatchObject([{ name: 'first', revision: '1' }])
    expect(await helm().json('list --selector team=red')).toEqual([])
    for (const color of ['red', 'green', 'white'])
      await helm().ok(`upgrade first settings --set data.color=${color} --history-max 2`)
    expect(await recorded('secrets')).toEqual([
      'secret/sh.helm.release.v1.first.v3',
      'secret/sh.helm.release.v1.first.v4',
    ])
    expect(await helm().fails('rollback first 1')).toContain('release has no 1 version')
    await helm().ok('rollback first')
    expect(await dataOf(kubectl(), 'first')).toMatchObject({ color: 'green' })
  })

  test('lives in ConfigMaps when it is told to', async () => {
    const other = helm().with({ HELM_DRIVER: 'configmap' })
    await other.ok('install second settings')
    await other.ok('upgrade second settings --set data.color=red')
    expect(await recorded('configmaps')).toEqual([
      'configmap/sh.helm.release.v1.second.v1',
      'configmap/sh.helm.release.v1.second.v2',
    ])
    expect(await helm().json('list --short')).toEqual(['first'])
    expect(await other.json('list --short')).toEqual(['second'])
    await other.ok('rollback second 1')
    expect(await dataOf(kubectl(), 'second')).toMatchObject({ color: 'blue' })
    expect(await other.ok('uninstall second')).toContain('release "second" uninstalled')
    expect(await recorded('configmaps')).toEqual([])
  })

  test('is for those who may read and write where it is', async () => {
    const stranger = '--kube-as-user=stranger --kube-as-group=system:authenticated'
    const may = `cannot list resource "secrets" in API group "" in the namespace "${namespace}"`
    expect(await helm().fails(`list ${stranger}`)).toContain(may)
    const account = `system:serviceaccount:${namespace}:deployer`
    await kubectl().ok('create serviceaccount deployer')
    await kubectl().ok(`create rolebinding deployer --clusterrole=admin --serviceaccount=${namespace}:deployer`)
    const asDeployer = `--kube-as-user=${account} --kube-as-group=system:serviceaccounts --skip-crds`
    await helm().ok(`install third settings ${asDeployer}`)
    const told = await helm().fails(`install fourth settings --set widget.enabled=true ${asDeployer}`)
    expect(told).toContain(`User "${account}" cannot`)
    expect(told).toContain('resource "widgets" in API group "settings.example.com"')
    await helm().ok('uninstall third --wait')
  })

  test('is missed once it is gone', async () => {
    await helm().ok('uninstall first --wait')
    expect(await recorded('secrets')).toEqual([])
    expect(await helm().fails('uninstall first')).toContain('release: not found')
    await helm().ok('uninstall first --ignore-not-found')
    expect(await liveObjects(kubectl(), 'configmaps -l app.kubernetes.io/managed-by=Helm')).toEqual([])
  })
}

function movesOn(older: Stage, newer: Stage): void {
  const { helm, kubectl, image } = newer
  const values = () => `--set image=${image()},widget.enabled=true`

  test('is upgraded by Helm 4 as it was made', async () => {
    await older.helm().ok(`install live settings ${values()} --create-namespace ${WAIT}`)
    await helm().ok(`upgrade live settings --reuse-values --set data.size=large ${WAIT}`)
    expect(managersOf(await liveObject(kubectl(), 'configmap live'))).toEqual(['helm Update'])
    expect(await helm().json('history live')).toMatchObject([{ status: 'superseded' }, { status: 'deployed' }])
  })

  test('is applied by the server when it is said, with all fields that it had', async () => {
    await helm().ok(`upgrade live settings ${values()},data.size=null,replicas=2 --server-side=true ${WAIT}`)
    for (const what of ['configmap live', 'deployment live', 'widget live'])
      expect(managersOf(await liveObject(kubectl(), what)), what).toEqual(['helm Apply'])
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue' })
    expect(await kubectl().field('deployment live', '{.status.readyReplicas}')).toBe('2')
  })

  test('is taken back to what Helm 3 made, and read by it', async () => {
    await helm().ok(`rollback live 1 ${WAIT}`)
    expect(await dataOf(kubectl(), 'live')).toEqual({ color: 'blue', size: 'small' })
    expect(await older.helm().json('history live')).toHaveLength(4)
    expect(await older.helm().json('list')).toMatchObject([{ name: 'live', revision: '4', status: 'deployed' }])
    await older.helm().ok('uninstall live --wait')
    expect(await namesOf(kubectl(), 'deployments,widgets,secrets')).toEqual([])
  })
}
