/** What else clients are asked to do, with @kubernetes/client-node: one line for each thing that works, or does not. */

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ApiException,
  ApiextensionsV1Api,
  ApisApi,
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
  V1MicroTime,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { MERGE, WIDGET_API, WIDGETS, type Widget } from './widget.ts'

interface Tour {
  readonly config: KubeConfig
  readonly namespace: string
  /** A resourceVersion whose history is forgotten. */
  readonly expired: string
  readonly core: CoreV1Api
  readonly apps: AppsV1Api
  readonly custom: CustomObjectsApi
  readonly objects: KubernetesObjectApi
}

/** The exit code. */
export async function takeTour(config: KubeConfig, namespace: string, expired: string): Promise<number> {
  const tour: Tour = {
    config,
    namespace,
    expired,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
    objects: KubernetesObjectApi.makeApiClient(config),
  }
  let failures = 0
  for (const [name, look] of Object.entries(STATIONS)) {
    try {
      await look(tour)
      console.log(`ok ${name}`)
    } catch (error) {
      failures++
      console.log(`failed ${name}: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
  return failures === 0 ? 0 : 1
}

const STATIONS: Readonly<Record<string, (tour: Tour) => Promise<void>>> = {
  pages,
  selectors,
  patches,
  apply,
  errors,
  deletion,
  scale,
  status,
  streams,
  expiry,
  discovery,
  dynamic,
  times,
}

async function pages({ core, namespace }: Tour): Promise<void> {
  for (let index = 0; index < 25; index++)
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: `page-${index}` } } })
  const names = new Set<string>()
  const remaining: (number | undefined)[] = []
  let token: string | undefined
  do {
    const page = await core.listNamespacedSecret({ namespace, limit: 10, ...(token && { _continue: token }) })
    for (const { metadata } of page.items) names.add(metadata?.name ?? '')
    remaining.push(page.metadata?.remainingItemCount)
    token = page.metadata?._continue
  } while (token)
  assert.equal(names.size, 25)
  assert.deepEqual(remaining, [15, 5, undefined])
}

async function selectors({ core, custom, namespace }: Tour): Promise<void> {
  for (const n of ['1', '2', '3'])
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: `chosen-${n}`, labels: { n } } } })
  const byLabel = await core.listNamespacedConfigMap({ namespace, labelSelector: 'n in (1,3)' })
  assert.deepEqual(namesOf(byLabel.items), ['chosen-1', 'chosen-3'])
  const byField = await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=chosen-2' })
  assert.deepEqual(namesOf(byField.items), ['chosen-2'])
  for (const message of ['red', 'blue']) await custom.createNamespacedCustomObject(widget(namespace, message))
  const place = { ...WIDGETS, namespace, fieldSelector: 'spec.message=blue' }
  const blue: { items: Widget[] } = await custom.listNamespacedCustomObject(place)
  assert.deepEqual(namesOf(blue.items), ['blue'])
}

async function patches({ apps, namespace }: Tour): Promise<void> {
  await apps.createNamespacedDeployment({ namespace, body: deployment('patched', 0) })
  const patch = (body: object, type: PatchStrategy) =>
    apps.patchNamespacedDeployment({ namespace, name: 'patched', body }, setHeaderOptions('Content-Type', type))
  const containers = [{ name: 'side', image: 'side:1' }]
  const two = await patch({ spec: { template: { spec: { containers } } } }, PatchStrategy.StrategicMergePatch)
  assert.equal(two.spec?.template.spec?.containers.length, 2)
  const one = await patch({ spec: { template: { spec: { containers } } } }, PatchStrategy.MergePatch)
  assert.equal(one.spec?.template.spec?.containers.length, 1)
  const path = '/spec/template/spec/containers/0/image'
  const json = await patch([{ op: 'replace', path, value: 'side:2' }], PatchStrategy.JsonPatch)
  assert.equal(json.spec?.template.spec?.containers[0]?.image, 'side:2')
}

async function apply({ objects, namespace }: Tour): Promise<void> {
  const applyAs = (manager: string, data: Readonly<Record<string, string>>, force: boolean) => {
    const metadata = { name: 'applied', namespace }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as KubernetesObject
    return objects.patch(object, undefined, undefined, manager, force, PatchStrategy.ServerSideApply)
  }
  await applyAs('first', { a: '1', b: '1' }, false)
  const refused = await refusalOf(applyAs('second', { a: '2' }, false))
  assert.equal(refused.code, 409)
  assert.equal(refused.details?.causes?.[0]?.reason, 'FieldManagerConflict')
  await applyAs('second', { a: '2' }, true)
  const applied = await applyAs('first', {}, false)
  assert.deepEqual((applied as { data?: object }).data, { a: '2' })
}

async function errors({ core, apps, namespace }: Tour): Promise<void> {
  const missing = await refusalOf(core.readNamespacedConfigMap({ namespace, name: 'missing' }))
  assert.deepEqual([missing.code, missing.reason, missing.details?.name], [404, 'NotFound', 'missing'])
  const body = { metadata: { name: 'twice' } }
  const created = await core.createNamespacedConfigMap({ namespace, body })
  const twice = await refusalOf(core.createNamespacedConfigMap({ namespace, body }))
  assert.deepEqual([twice.code, twice.reason], [409, 'AlreadyExists'])
  await core.replaceNamespacedConfigMap({ namespace, name: 'twice', body: { ...created, data: { a: '1' } } })
  const stale = await refusalOf(core.replaceNamespacedConfigMap({ namespace, name: 'twice', body: created }))
  assert.deepEqual([stale.code, stale.reason], [409, 'Conflict'])
  const invalid = await refusalOf(apps.createNamespacedDeployment({ namespace, body: deployment('Not A Name', -1) }))
  assert.deepEqual([invalid.code, invalid.reason], [422, 'Invalid'])
  const fields = invalid.details?.causes?.map(({ field }) => field)
  assert.deepEqual(fields, ['metadata.name', 'spec.replicas'])
}

async function deletion({ core, namespace }: Tour): Promise<void> {
  const pair = async (name: string) => {
    const owner = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name } } })
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name, uid: owner.metadata?.uid ?? '' }
    const ownerReferences = [{ ...reference, blockOwnerDeletion: true }]
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: `${name}-owned`, ownerReferences } } })
  }
  const left = async (name: string) => {
    const { items } = await core.listNamespacedConfigMap({ namespace })
    return namesOf(items.filter(({ metadata }) => metadata?.name?.startsWith(name)))
  }
  await pair('foreground')
  const wrong = { preconditions: { uid: 'other' } }
  const refused = await refusalOf(core.deleteNamespacedConfigMap({ namespace, name: 'foreground', body: wrong }))
  assert.equal(refused.code, 409)
  await core.deleteNamespacedConfigMap({ namespace, name: 'foreground', propagationPolicy: 'Foreground' })
  await eventually(async () => assert.deepEqual(await left('foreground'), []))
  await pair('orphan')
  await core.deleteNamespacedConfigMap({ namespace, name: 'orphan', propagationPolicy: 'Orphan' })
  await eventually(async () => assert.deepEqual(await left('orphan'), ['orphan-owned']))
  const orphan = await core.readNamespacedConfigMap({ namespace, name: 'orphan-owned' })
  assert.equal(orphan.metadata?.ownerReferences, undefined)
}

async function scale({ apps, custom, namespace }: Tour): Promise<void> {
  await apps.createNamespacedDeployment({ namespace, body: deployment('scaled', 0) })
  const place = { namespace, name: 'scaled' }
  const read = await apps.readNamespacedDeploymentScale(place)
  await apps.replaceNamespacedDeploymentScale({ ...place, body: { ...read, spec: { replicas: 2 } } })
  await eventually(async () => {
    const { status } = await apps.readNamespacedDeploymentScale(place)
    assert.equal(status?.replicas, 2)
  })
  await custom.createNamespacedCustomObject(widget(namespace, 'scaled'))
  const body = { spec: { replicas: 7 } }
  await custom.patchNamespacedCustomObjectScale({ ...WIDGETS, namespace, name: 'scaled', body }, MERGE)
  const { spec }: Widget = await custom.getNamespacedCustomObject({ ...WIDGETS, namespace, name: 'scaled' })
  assert.equal(spec.size, 7)
}

async function status({ custom, namespace }: Tour): Promise<void> {
  const created: Widget = await custom.createNamespacedCustomObject(widget(namespace, 'told'))
  const body = { ...created, spec: { size: 9, message: 'ignored' }, status: { phase: 'Told' } }
  const place = { ...WIDGETS, namespace, name: 'told' }
  const replaced: Widget = await custom.replaceNamespacedCustomObjectStatus({ ...place, body })
  assert.equal(replaced.status?.phase, 'Told')
  assert.equal(replaced.spec.message, 'told')
  assert.equal(replaced.metadata?.generation, created.metadata?.generation)
}

async function streams({ config, core, namespace }: Tour): Promise<void> {
  const containers = [{ name: 'main', image: 'web:1' }]
  await core.createNamespacedPod({ namespace, body: { metadata: { name: 'streams' }, spec: { containers } } })
  await eventually(async () => {
    const pod = await core.readNamespacedPod({ namespace, name: 'streams' })
    assert.equal(pod.status?.phase, 'Running')
  })
  const output = new PassThrough()
  await new Log(config).log(namespace, 'streams', 'main', output, { tailLines: 5 })
  output.resume()
  const outcome = await new Promise<V1Status>((resolve, reject) => {
    const streamsOf = [new PassThrough(), new PassThrough(), null] as const
    new Exec(config).exec(namespace, 'streams', 'main', ['true'], ...streamsOf, false, resolve).catch(reject)
  })
  assert.equal(outcome.status, 'Success')
}

async function expiry({ config, namespace, expired }: Tour): Promise<void> {
  const path = `/apis/${WIDGET_API}/namespaces/${namespace}/widgets`
  const event = await new Promise<{ type: string; code: number }>((resolve, reject) => {
    const told = (type: string, object: V1Status) => resolve({ type, code: object.code ?? 0 })
    new Watch(config).watch(path, { resourceVersion: expired }, told, reject).catch(reject)
  })
  assert.deepEqual(event, { type: 'ERROR', code: 410 })
}

async function discovery({ config, custom }: Tour): Promise<void> {
  const { gitVersion } = await config.makeApiClient(VersionApi).getCode()
  assert.match(gitVersion, /^v1\.36\./)
  const { groups } = await config.makeApiClient(ApisApi).getAPIVersions()
  assert.ok(groups.some(({ name }) => name === 'clients.example.com'))
  const { resources } = await custom.getAPIResources({ group: WIDGETS.group, version: WIDGETS.version })
  assert.deepEqual(resources.map(({ name }) => name).sort(), ['widgets', 'widgets/scale', 'widgets/status'])
  const extensions = config.makeApiClient(ApiextensionsV1Api)
  const definition = await extensions.readCustomResourceDefinition({ name: 'widgets.clients.example.com' })
  assert.equal(definition.status?.acceptedNames?.kind, 'Widget')
}

async function dynamic({ objects, namespace }: Tour): Promise<void> {
  await objects.create<KubernetesObject>(widget(namespace, 'dynamic').body)
  const named = { apiVersion: WIDGET_API, kind: 'Widget', metadata: { name: 'dynamic', namespace } }
  assert.deepEqual((await objects.read<Widget>(named)).spec, { message: 'dynamic', size: 1 })
  const { items } = await objects.list<Widget>(WIDGET_API, 'Widget', namespace)
  assert.ok(namesOf(items).includes('dynamic'))
  await objects.delete(named)
  assert.equal((await refusalOf(objects.read(named))).code, 404)
}

async function times({ config, core, namespace }: Tour): Promise<void> {
  const { metadata } = await core.readNamespace({ name: namespace })
  const ageMs = Date.now() - (metadata?.creationTimestamp?.getTime() ?? 0)
  assert.ok(ageMs > -1_000 && ageMs < 3_600_000, `an age of ${ageMs} ms`)
  const api = config.makeApiClient(CoordinationV1Api)
  const renewTime = new V1MicroTime('2026-01-02T03:04:05.678Z')
  const body = { metadata: { name: 'timed' }, spec: { holderIdentity: 'me', renewTime } }
  const lease = await api.createNamespacedLease({ namespace, body })
  assert.equal(new Date(String(lease.spec?.renewTime)).getTime(), renewTime.getTime())
}

function widget(namespace: string, name: string) {
  const body = { apiVersion: WIDGET_API, kind: 'Widget', metadata: { name, namespace }, spec: { message: name } }
  return { ...WIDGETS, namespace, body }
}

function deployment(name: string, replicas: number): V1Deployment {
  const labels = { app: 'tour' }
  const spec = { containers: [{ name: 'web', image: 'web:1' }] }
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
}

function namesOf(objects: readonly KubernetesObject[]): readonly string[] {
  return objects.map(({ metadata }) => metadata?.name ?? '').sort()
}

/** The Status of a call that must fail. */
async function refusalOf(call: Promise<unknown>): Promise<V1Status> {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiException) return typeof error.body === 'string' ? JSON.parse(error.body) : error.body
    throw error
  }
  throw new Error('this should have failed')
}

const TRIES_MAX = 100

async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await assertion()
    } catch (error) {
      if (tries === TRIES_MAX) throw error
      await sleep(100)
    }
  }
}
