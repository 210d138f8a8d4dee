/** The story of a release of several charts, from its first rendering to its end, told with both Helms. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TestCluster } from '../kubectl/support/cluster.ts'
import { eventually } from '../kubectl/support/eventually.ts'
import { liveObject, liveObjects, managersOf, namesOf } from './support/objects.ts'
import { onHelmCluster, type Player } from './support/on-helm-cluster.ts'

/** What a release of the shop is made of, but for its hooks; cluster-wide things have the namespace in their names. */
const PARTS = (namespace: string): readonly string[] => [
  'configmap/shop-web',
  'cronjob.batch/shop-nightly',
  'deployment.apps/shop-guard',
  'deployment.apps/shop-web',
  'ingress.networking.k8s.io/shop-web',
  'limitrange/shop',
  'monitor.monitoring.example.com/shop-store',
  'monitor.monitoring.example.com/shop-web',
  `mutatingwebhookconfiguration.admissionregistration.k8s.io/${namespace}-shop`,
  'networkpolicy.networking.k8s.io/shop-web',
  'poddisruptionbudget.policy/shop-store',
  'poddisruptionbudget.policy/shop-web',
  `priorityclass.scheduling.k8s.io/${namespace}-shop`,
  'resourcequota/shop',
  'role.rbac.authorization.k8s.io/shop-web',
  'rolebinding.rbac.authorization.k8s.io/shop-web',
  'secret/shop-guard',
  'secret/shop-web',
  'service/shop-guard',
  'service/shop-store',
  'service/shop-web',
  'serviceaccount/shop-web',
  'statefulset.apps/shop-store',
  `validatingwebhookconfiguration.admissionregistration.k8s.io/${namespace}-shop`,
]

/** Volumes of two members of the store for each of the Helms. */
const VOLUMES = 4

onHelmCluster({ name: 'release', range: 166 }, (...players) => {
  beforeAll(() => makeVolumes(players[0].cluster()))
  for (const player of players) describe(`Helm ${player.major}`, () => tellStory(player))
})

/** A class without a provisioner and volumes for it: folders of this machine, which all nodes are on. */
async function makeVolumes(cluster: TestCluster): Promise<void> {
  const folder = join(cluster.directory, 'volumes')
  const volumes = Array.from({ length: VOLUMES }, (_, number) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `shop-${number}` },
    spec: {
      storageClassName: 'shop',
      capacity: { storage: '16Mi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: join(folder, String(number)) },
    },
  }))
  for (const { spec } of volumes) await mkdir(spec.hostPath.path, { recursive: true })
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'shop' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  }
  await cluster.kubectl('default').apply([storageClass, ...volumes].map((object) => JSON.stringify(object)).join('\n'))
}

function tellStory(player: Player): void {
  const stage = onStage(player)
  describe('a chart of several', () => renders(stage))
  describe('install', () => installs(stage))
  describe('a release', () => isAsked(stage))
  describe('upgrade', () => upgrades(stage))
  describe('an upgrade that fails', () => fails(stage))
  describe('uninstall', () => uninstalls(stage))
}

type Stage = ReturnType<typeof onStage>

interface ReleaseStatus {
  readonly version: number
  readonly info: { readonly status: string }
}

/** What the parts of the story ask for. */
function onStage({ major, cluster, ...player }: Player) {
  const namespace = `shop-${major}`
  const kubectl = () => player.kubectl(namespace)
  const images = () => `--set global.image=${cluster().images.v1},guard.image=${cluster().imageOf('agnhost')}`
  return {
    major,
    namespace,
    kubectl,
    helm: () => player.helm(namespace),
    values: images,
    cluster,
    /** As a file. */
    chart: () => join(cluster().directory, 'shop-1.0.0.tgz'),
    /** Both Helms have it, under two names. */
    rollbackOnFailure: major === 3 ? '--atomic' : '--rollback-on-failure',
    /** From a pod of the release, by the name of the Service. */
    ask: () => kubectl().ok('exec shop-store-0 -- wget -qO- http://shop-web/'),
    uidsOf: async (what: string) => (await liveObjects(kubectl(), what)).map(({ metadata }) => metadata.uid).sort(),
    token: async () =>
      Buffer.from((await liveObject(kubectl(), 'secret shop-web')).data?.token ?? '', 'base64').toString(),
    history: () =>
      player.helm(namespace).json<{ revision: number; status: string; description: string }[]>('history shop'),
    state: async () => {
      const { version, info } = await player.helm(namespace).json<ReleaseStatus>('status shop')
      return `${version} ${info.status}`
    },
  }
}

function renders({ major, cluster, helm, chart, values }: Stage): void {
  test('is found to be in order, with what it depends on', async () => {
    expect(await helm().ok(`lint shop --strict ${values()}`)).toContain('1 chart(s) linted, 0 chart(s) failed')
    const dependencies = (await helm().ok('dependency list shop')).trim().split('\n').slice(1)
    expect(dependencies.map((line) => line.split(/\s+/)[0])).toEqual(['common', 'web', 'store', 'guard', 'jobs'])
    for (const line of dependencies) expect(line.trimEnd()).toMatch(/unpacked$/)
    expect(await helm().ok('show crds shop')).toContain('name: monitors.monitoring.example.com')
  })

  test('becomes one file', async () => {
    expect(await helm().ok(`package shop --destination ${cluster().directory}`)).toContain(`${chart()}\n`)
    expect(await helm().ok(`show chart ${chart()}`)).toBe(await helm().ok('show chart shop'))
  })

  test('refuses values that its schema does not know', async () => {
    expect(await helm().fails(`template shop shop ${values()} --set web.replicas=many`)).toContain(
      "at '/web/replicas': got string, want integer",
    )
  })

  test('is rendered for what a cluster serves', async () => {
    const template = `template shop shop ${values()}`
    expect(await helm().ok(template)).not.toContain('kind: Monitor')
    expect(await helm().ok(`${template} --api-versions monitoring.example.com/v1/Monitor`)).toContain('kind: Monitor')
    expect(await helm().ok(`${template} --include-crds`)).toContain('kind: CustomResourceDefinition')
    const asked = await helm().ok(`${template} ${major === 3 ? '--validate' : '--dry-run=server'}`)
    expect(asked).toContain('kind: StatefulSet')
  })
}

function installs({ major, namespace, helm, kubectl, chart, values, ask, token, uidsOf, state }: Stage): void {
  test('tries without leaving anything', async () => {
    const tried = await helm().ok(`install shop ${chart()} ${values()} --create-namespace --dry-run=server`)
    expect(tried).toContain('STATUS: pending-install')
    expect(await kubectl().fails(`get namespace ${namespace}`)).toContain('not found')
  })

  test('makes every object, waits for all, and runs its hooks in order', async () => {
    // Jobs of other namespaces are of no interest, and the namespace is not there yet.
    await using watching = kubectl().start('get jobs --watch --no-headers --all-namespaces')
    const told = await helm().ok(`install shop ${chart()} ${values()} --create-namespace --wait --timeout 120s`)
    expect(told).toContain('STATUS: deployed')
    expect(told).toContain(`Ask http://shop-web.${namespace}.svc.cluster.local/`)
    expect(await kubectl().ok('get deployments,statefulsets --no-headers')).toMatch(
      /guard +1\/1[\s\S]*web +2\/2[\s\S]*store +2\/2/,
    )
    expect(await namesOfManifest()).toEqual(PARTS(namespace))
    await watching.prints(new RegExp(`${namespace} +shop-announce +Complete`))
    const lines = watching
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith(`${namespace} `))
    const seen = lines.map((line) => line.split(/\s+/).slice(1, 3).join(' '))
    const finished = (name: string) => seen.indexOf(`${name} Complete`)
    const begun = (name: string) => seen.findIndex((line) => line.startsWith(`${name} `))
    for (const [earlier, later] of [
      ['shop-migrate', 'shop-seed'],
      ['shop-smoke', 'shop-announce'],
    ] as const) {
      expect(finished(earlier), watching.stdout()).toBeGreaterThan(-1)
      expect(finished(earlier), watching.stdout()).toBeLessThan(begun(later))
    }
    expect(await namesOf(kubectl(), 'jobs')).toEqual([
      'job.batch/shop-announce',
      'job.batch/shop-migrate',
      'job.batch/shop-smoke',
    ])
    expect(await state()).toBe('1 deployed')
  })

  /** What is live of what Helm says that it made. */
  async function namesOfManifest(): Promise<readonly string[]> {
    const manifest = await helm().ok('get manifest shop')
    const names = await kubectl().ok('get -f - -o name', { input: manifest })
    return names.trim().split('\n').sort()
  }

  test('hooks before it end before the first of its pods begins', async () => {
    const [migrate, web] = await Promise.all([
      liveObject(kubectl(), 'job shop-migrate'),
      liveObject(kubectl(), 'deployment shop-web'),
    ])
    expect(String(migrate.status?.completionTime) <= web.metadata.creationTimestamp).toBe(true)
  })

  test('owns what it wrote', async () => {
    const manager = major === 3 ? 'helm Update' : 'helm Apply'
    for (const what of ['deployment shop-web', 'configmap shop-web', 'monitor shop-web', 'secret shop-web'])
      expect(managersOf(await liveObject(kubectl(), what)), what).toEqual([manager])
    const { metadata } = await liveObject(kubectl(), 'service shop-web')
    expect(metadata.labels?.['app.kubernetes.io/managed-by']).toBe('Helm')
    expect(metadata.annotations).toEqual({
      'meta.helm.sh/release-name': 'shop',
      'meta.helm.sh/release-namespace': namespace,
    })
    const [release] = await liveObjects(kubectl(), 'secrets -l owner=helm,name=shop')
    expect(release?.metadata.name).toBe('sh.helm.release.v1.shop.v1')
    expect(release?.metadata.labels).toMatchObject({ status: 'deployed', version: '1' })
  })

  test('runs on both nodes and answers by the name of its Service', async () => {
    const rows = (await kubectl().ok('get pods -l app.kubernetes.io/name=web -o wide --no-headers')).trim().split('\n')
    expect(new Set(rows.map((row) => row.split(/\s+/)[6])).size).toBe(2)
    expect(await ask()).toMatch(new RegExp(`^v1 pod=shop-web-\\S+ node=\\S+ greeting=hello secret=${await token()}\n$`))
    expect(await token()).toMatch(/^[A-Za-z0-9]{24}$/)
    expect(await uidsOf('pods -l app.kubernetes.io/name=store')).toHaveLength(2)
    const address = await kubectl().field('pod shop-store-1', '{.status.podIP}')
    const name = `shop-store-1.shop-store.${namespace}.svc.cluster.local`
    expect(await kubectl().ok(`exec shop-store-0 -- nslookup ${name}`)).toContain(`Address: ${address}`)
  })

  test('gives rights, quota, budgets and priority', async () => {
    const as = `--as=system:serviceaccount:${namespace}:shop-web`
    expect(await kubectl().ok(`auth can-i get configmap/shop-web ${as}`)).toBe('yes\n')
    expect((await kubectl().run(`auth can-i get configmap/other ${as}`)).stdout).toBe('no\n')
    expect(await kubectl().field('resourcequota shop', '{.status.used.pods}')).toBe('5')
    expect(await kubectl().field('poddisruptionbudget shop-web', '{.status.disruptionsAllowed}')).toBe('1')
    const [pod] = await liveObjects(kubectl(), 'pods -l app.kubernetes.io/name=web')
    expect(pod?.spec).toMatchObject({ priority: 1000, priorityClassName: `${namespace}-shop` })
    // Of the LimitRange, since the chart says nothing.
    expect(await kubectl().field('pod shop-store-0', '{.spec.containers[0].resources.requests.cpu}')).toBe('5m')
  })

  test('its webhook changes and judges what is written', async () => {
    const guarded = (name: string, data: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { guarded: 'true' } }, data })
    await kubectl().apply(guarded('changed', { 'mutation-start': 'yes' }))
    expect((await liveObject(kubectl(), 'configmap changed')).data).toEqual({
      'mutation-start': 'yes',
      'mutation-stage-1': 'yes',
    })
    const refused = guarded('refused', { 'webhook-e2e-test': 'webhook-disallow' })
    expect(await kubectl().fails('create -f -', { input: refused })).toContain(
      'admission webhook "config-maps.guard.example.com" denied the request: the configmap contains unwanted key and value',
    )
    expect(await kubectl().ok('logs deployment/shop-guard')).toContain('admitting configmaps')
    await kubectl().ok('delete configmap changed')
  })

  test('nothing is written that its webhook cannot judge', async () => {
    const scaled = async (replicas: number) => {
      await kubectl().ok(`scale deployment shop-guard --replicas=${replicas}`)
      const ready = '{range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]} {end}'
      const slices = 'endpointslices -l kubernetes.io/service-name=shop-guard'
      await eventually(async () => expect((await kubectl().field(slices, ready)).split(' ')).toHaveLength(replicas + 1))
    }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unjudged', labels: { guarded: 'true' } } }
    const create = (...flags: readonly string[]) =>
      kubectl().run(['create', '-f', '-', ...flags], { input: JSON.stringify(object) })
    await scaled(0)
    expect((await create()).stderr).toContain('failed calling webhook "config-maps.guard.example.com"')
    await scaled(1)
    await eventually(async () => expect((await create('--dry-run=server')).stderr).toBe(''))
  })

  test('what it does at night can be done by day', async () => {
    await kubectl().ok('create job by-day --from=cronjob/shop-nightly')
    await kubectl().ok('wait --for=condition=Complete job/by-day --timeout=60s')
    expect(await kubectl().ok('logs job/by-day')).toMatch(/ 20\d\d\n$/)
    await kubectl().ok('delete job by-day')
  })

  test('its custom resources have columns, defaults, rules and a status', async () => {
    expect(await kubectl().ok('get monitors')).toMatch(
      /^NAME +INTERVAL +PORT\nshop-store +30 +http\nshop-web +30 +http\n$/,
    )
    expect(await kubectl().field('monitor shop-web', '{.spec.endpoints[0].path}')).toBe('/metrics')
    const slow = ['patch', 'monitor', 'shop-web', '--type=merge', '-p', '{"spec":{"interval":2}}']
    expect(await kubectl().fails(slow)).toContain('an endpoint may not take longer than the interval')
    await kubectl().ok([
      'patch',
      'monitor',
      'shop-web',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"targets":2}}',
    ])
    expect(await kubectl().ok('get monitor shop-web -o wide --no-headers')).toMatch(/^shop-web +30 +http +2\n$/)
    expect(await kubectl().field('monitor shop-web', '{.metadata.generation}')).toBe('1')
  })
}

function isAsked({ major, namespace, helm, kubectl, values, token }: Stage): void {
  test('says what it is', async () => {
    const status = await helm().ok('status shop')
    expect(status).toMatch(/^NAME: shop\n/)
    expect(status).toContain(`NAMESPACE: ${namespace}\nSTATUS: deployed\nREVISION: 1\n`)
    const resources = major === 3 ? await helm().ok('status shop --show-resources') : status
    expect(resources).toMatch(/==> v1\/StatefulSet\nNAME +READY +AGE\nshop-store +2\/2 +\S+\n/)
    expect(resources).toMatch(/==> v1\/Monitor\nNAME +INTERVAL +PORT\n/)
    expect(resources).toContain('==> v1/Pod(related)')
    expect(await helm().ok('list')).toMatch(/\nshop\s+shop-\d\s+1\s+.* UTC\s+deployed\s+shop-1\.0\.0\s+1\s*\n$/)
    expect(await helm().ok('get metadata shop')).toContain('DEPENDENCIES: common,guard,jobs,store,web')
  })

  test('says what it was given and what it made', async () => {
    expect(await helm().ok('get values shop')).toContain('USER-SUPPLIED VALUES:\nglobal:\n  image: ')
    expect(await helm().ok('get values shop --all')).toMatch(/COMPUTED VALUES:[\s\S]*autoscaling:\n +enabled: false/)
    expect(await helm().ok('get notes shop')).toContain('is installed as shop, revision 1.\n')
    expect(await helm().ok('get hooks shop')).toContain('helm.sh/hook: pre-install,pre-upgrade')
    const everything = await helm().ok('get all shop')
    for (const part of ['COMPUTED VALUES', 'HOOKS', 'MANIFEST', 'NOTES']) expect(everything).toContain(`${part}:\n`)
  })

  test('finds what is live when it is rendered', async () => {
    const rendered = await helm().ok(
      `template shop shop ${values()} --dry-run=server --show-only charts/web/templates/secret.yaml`,
    )
    expect(rendered).toContain(`token: ${Buffer.from(await token()).toString('base64')}\n`)
  })

  test('is tested, and shows the logs of the test', async () => {
    const told = await helm().ok('test shop --logs --timeout 60s')
    expect(told).toMatch(/TEST SUITE: +shop-answers\n[\s\S]*Phase: +Succeeded\n/)
    expect(told).toMatch(/POD LOGS: shop-answers[\s\S]*\nv1 pod=shop-web-\S+ node=\S+ greeting=hello /)
    expect(await kubectl().field('pod shop-answers', '{.status.phase}')).toBe('Succeeded')
  })
}

function upgrades({ major, namespace, helm, kubectl, values, ask, token, uidsOf, state }: Stage): void {
  const wait = '--wait --timeout 120s'

  test('rolls what is changed, and nothing else', async () => {
    const kept = ['pods -l app.kubernetes.io/name=store', 'pods -l app.kubernetes.io/name=guard']
    const before = { token: await token(), uids: await Promise.all(kept.map(uidsOf)) }
    const [migrated] = await uidsOf('jobs -l app.kubernetes.io/name=jobs')
    const web = await uidsOf('pods -l app.kubernetes.io/name=web')
    const change = 'web.greeting=good-day,web.ingress.enabled=false,web.autoscaling.enabled=true'
    const told = await helm().ok(`upgrade shop shop --reuse-values --set ${change} ${wait}`)
    expect(told).toContain('Release "shop" has been upgraded. Happy Helming!')
    expect(await Promise.all(kept.map(uidsOf))).toEqual(before.uids)
    expect(await uidsOf('jobs -l app.kubernetes.io/name=jobs')).not.toContain(migrated)
    // A pod that leaves takes no requests any more, but may still be listed.
    await eventually(async () =>
      expect((await uidsOf('pods -l app.kubernetes.io/name=web')).filter((uid) => web.includes(uid))).toEqual([]),
    )
    expect(await ask()).toContain(`greeting=good-day secret=${before.token}`)
    expect(await namesOf(kubectl(), 'ingresses,horizontalpodautoscalers')).toEqual([
      'horizontalpodautoscaler.autoscaling/shop-web',
    ])
    expect(await state()).toBe('2 deployed')
  })

  test('leaves the number of pods to the autoscaler', async () => {
    await eventually(async () =>
      expect(await kubectl().field('deployment shop-web', '{.status.readyReplicas}')).toBe('2'),
    )
    await helm().ok(`upgrade shop shop --reuse-values --set web.autoscaling.minReplicas=3 ${wait}`)
    await eventually(async () =>
      expect(await kubectl().field('deployment shop-web', '{.status.readyReplicas}')).toBe('3'),
    )
    expect(await kubectl().field('horizontalpodautoscaler shop-web', '{.status.currentReplicas}')).toMatch(/^[23]$/)
    await helm().ok(`upgrade shop shop --reuse-values --set monitoring.interval=60 --no-hooks`)
    expect(await kubectl().field('deployment shop-web', '{.spec.replicas}')).toBe('3')
    expect(await kubectl().field('monitor shop-store', '{.spec.interval}')).toBe('60')
  })

  test('keeps the values of before, or forgets them', async () => {
    const reset = `upgrade shop shop --reset-values ${values()} --set store.replicas=1 ${wait}`
    if (major === 4) {
      // Fields that the autoscaler wrote are its own: who applies others must say so.
      const told = await helm().fails(reset)
      expect(told).toContain(
        'conflict with "kube-controller-manager" with subresource "scale" using apps/v1: .spec.replicas',
      )
    }
    await helm().ok(major === 4 ? `${reset} --force-conflicts` : reset)
    expect(await helm().ok('get values shop')).not.toContain('autoscaling')
    expect(await ask()).toContain('greeting=hello')
    expect(await namesOf(kubectl(), 'ingresses,horizontalpodautoscalers')).toEqual([
      'ingress.networking.k8s.io/shop-web',
    ])
    await eventually(async () => expect(await uidsOf('pods -l app.kubernetes.io/name=store')).toHaveLength(1))
    expect(await state()).toMatch(/ deployed$/)
  })

  test('is taken back by a rollback, which leaves nothing different', async () => {
    expect(await helm().ok(`rollback shop 1 ${wait}`)).toBe('Rollback was a success! Happy Helming!\n')
    const manifest = await helm().ok('get manifest shop')
    expect(manifest).toBe(await helm().ok('get manifest shop --revision 1'))
    expect(await kubectl().ok('diff -f -', { input: manifest })).toBe('')
    expect(await namesOf(kubectl(), 'deployments,statefulsets')).toHaveLength(3)
    expect(await uidsOf('pods -l app.kubernetes.io/name=store')).toHaveLength(2)
    expect(await kubectl().ok(`get priorityclass ${namespace}-shop -o jsonpath={.value}`)).toBe('1000')
    expect(await state()).toMatch(/ deployed$/)
  })
}

function fails({ helm, kubectl, history, rollbackOnFailure, ask, uidsOf }: Stage): void {
  const last = async (count: number) => (await history()).slice(-count).map(({ status }) => status)

  test('in a hook changes nothing and is taken back', async () => {
    const before = await uidsOf('pods -l app.kubernetes.io/name=web')
    const failing = '--set jobs.failing=true,web.greeting=never'
    const told = await helm().fails(`upgrade shop shop --reuse-values ${failing} ${rollbackOnFailure} --timeout 60s`)
    expect(told).toMatch(
      /UPGRADE FAILED: release shop failed, and has been rolled back due to [a-z-]+ being set: pre-upgrade hooks failed/,
    )
    expect(told).toContain('shop-migrate')
    expect(await uidsOf('pods -l app.kubernetes.io/name=web')).toEqual(before)
    expect(await last(2)).toEqual(['failed', 'deployed'])
    expect(await kubectl().ok('logs job/shop-migrate')).toBe('cannot migrate\n')
  })

  test('since a pod cannot start is taken back', async () => {
    const broken = '--set web.image=t8s-test/helm-release:none,web.pullPolicy=Never'
    const told = await helm().fails(`upgrade shop shop --reuse-values ${broken} ${rollbackOnFailure} --timeout 12s`)
    expect(told).toContain('release shop failed, and has been rolled back due to')
    expect(await ask()).toContain('v1 pod=shop-web-')
    expect(await last(2)).toEqual(['failed', 'deployed'])
    expect(await kubectl().field('deployment shop-web', '{.spec.template.spec.containers[0].imagePullPolicy}')).toBe(
      'IfNotPresent',
    )
    await eventually(async () => expect(await uidsOf('pods -l app.kubernetes.io/name=web')).toHaveLength(2))
  })

  test('since the API refuses an object says why, and is mended by hand', async () => {
    const told = await helm().fails('upgrade shop shop --reuse-values --set monitoring.interval=3 --timeout 60s')
    expect(told).toContain('an endpoint may not take longer than the interval')
    expect(await last(1)).toEqual(['failed'])
    expect((await history()).at(-1)?.description).toContain('"shop-web" is invalid: spec: Invalid value')
    expect(await kubectl().field('monitor shop-web', '{.spec.interval}')).toBe('30')
    await helm().ok('rollback shop --wait --timeout 120s')
    expect((await history()).at(-1)).toMatchObject({ status: 'deployed' })
  })
}

function uninstalls({ namespace, helm, kubectl, history, ask }: Stage): void {
  const starts = async () => (await kubectl().ok('exec shop-store-0 -- cat /data/starts')).trim().split('\n').length
  const everywhere = 'priorityclasses,mutatingwebhookconfigurations,validatingwebhookconfigurations'
  const clusterWide = async () =>
    (await namesOf(kubectl(), everywhere)).filter((name) => name.endsWith(`/${namespace}-shop`))

  test('leaves its history, claims and definitions, and can be taken back with what was kept', async () => {
    const before = await starts()
    await helm().ok('uninstall shop --keep-history --wait --cascade foreground --timeout 60s')
    expect(
      await namesOf(kubectl(), 'deployments,replicasets,statefulsets,services,monitors,secrets -l owner!=helm'),
    ).toEqual([])
    expect(await clusterWide()).toEqual([])
    expect(await helm().json('list --deployed')).toEqual([])
    expect(await helm().json('list --uninstalled')).toMatchObject([{ name: 'shop', status: 'uninstalled' }])
    expect(await namesOf(kubectl(), 'persistentvolumeclaims')).toEqual([
      'persistentvolumeclaim/data-shop-store-0',
      'persistentvolumeclaim/data-shop-store-1',
    ])
    const { revision = 0 } = (await history()).at(-1) ?? {}
    await helm().ok(`rollback shop ${revision} --wait --timeout 120s`)
    expect(await ask()).toContain('greeting=hello')
    expect(await starts()).toBe(before + 1)
  })

  test('takes all but hooks, claims and definitions with it', async () => {
    await using watching = kubectl().start('get jobs --watch --no-headers')
    expect(await helm().ok('uninstall shop --wait --cascade foreground --timeout 60s')).toContain(
      'release "shop" uninstalled',
    )
    await watching.prints(/shop-backup +Complete/)
    expect(await helm().fails('status shop')).toContain('release: not found')
    expect(await clusterWide()).toEqual([])
    await eventually(async () => expect(await remaining()).toEqual(LEFT))
    expect(await kubectl().ok('get crd monitors.monitoring.example.com -o name')).toContain('monitors')
  })

  /** Of everything that a namespace can hold, but for what is in each. */
  async function remaining(): Promise<readonly string[]> {
    const kinds = (await kubectl().ok('api-resources --namespaced --verbs=list -o name')).trim().split('\n')
    const listed = kinds.filter((kind) => !/^(events|pods\.metrics)/.test(kind)).join(',')
    const own = /\/(default|kube-root-ca\.crt)$/
    return (await namesOf(kubectl(), listed))
      .filter((name) => !own.test(name))
      .map((name) => name.replace(POD_OF_JOB, '$1-*'))
  }
}

const POD_OF_JOB = /^(pod\/shop-(?:announce|farewell|migrate|smoke))-\w{5}$/

/** What Helm leaves: hooks that no policy removes, and what a StatefulSet's members keep. */
const LEFT = [
  'job.batch/shop-announce',
  'job.batch/shop-farewell',
  'job.batch/shop-migrate',
  'job.batch/shop-smoke',
  'persistentvolumeclaim/data-shop-store-0',
  'persistentvolumeclaim/data-shop-store-1',
  'pod/shop-announce-*',
  'pod/shop-answers',
  'pod/shop-farewell-*',
  'pod/shop-migrate-*',
  'pod/shop-smoke-*',
  'serviceaccount/shop-hooks',
]
