/** What the cluster's policy says to pods, claims and ingresses, through the real chain. */

import { expect, test } from 'vitest'
import { PODS, podBody, startServer } from './admission-server.ts'

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const CLASSES = '/apis/node.k8s.io/v1/runtimeclasses'

test('a restricted namespace refuses what it enforces and warns of templates', async () => {
  await using server = await startServer({ 'pod-security.kubernetes.io/enforce': 'restricted' })
  const refused = await server.send('POST', PODS, { body: podBody('open') })
  expect(refused.status).toBe(403)
  expect(refused.json.message).toMatch(
    /^pods "open" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "app"/,
  )
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'image' }] } }
  const spec = { selector: { matchLabels: { app: 'web' } }, template }
  const body = { metadata: { name: 'web' }, spec }
  const made = await server.send('POST', '/apis/apps/v1/namespaces/default/deployments', { body })
  expect(made.status).toBe(201)
  expect(made.headers.warning).toContain('would violate PodSecurity "restricted:latest"')
})

test('a namespace that gets stricter is warned of the pods that are there', async () => {
  await using server = await startServer()
  await server.send('POST', PODS, { body: podBody('sharing', { hostPID: true }) })
  const body = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } }
  const headers = { 'content-type': 'application/merge-patch+json' }
  const answer = await server.send('PATCH', '/api/v1/namespaces/default', { body, headers })
  expect(answer.headers.warning).toContain('sharing: host namespaces')
  const wrong = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'high' } } }
  expect((await server.send('PATCH', '/api/v1/namespaces/default', { body: wrong, headers })).status).toBe(422)
})

test('a pod of an unknown runtime class is refused, also on a dry run', async () => {
  await using server = await startServer()
  const body = podBody('odd', { runtimeClassName: 'nowhere' })
  for (const url of [PODS, `${PODS}?dryRun=All`]) {
    const { status, json } = await server.send('POST', url, { body })
    expect([status, json.message]).toEqual([
      403,
      'pods "odd" is forbidden: pod rejected: RuntimeClass "nowhere" not found',
    ])
  }
})

test('a pod of a runtime class gets its overhead and its place', async () => {
  await using server = await startServer()
  const toleration = { key: 'vm', operator: 'Exists', effect: 'NoSchedule' }
  const scheduling = { nodeSelector: { vm: 'yes' }, tolerations: [toleration] }
  const sandboxed = { metadata: { name: 'vm' }, handler: 'vm', overhead: { podFixed: { cpu: '250m' } }, scheduling }
  await server.send('POST', CLASSES, { body: sandboxed })
  const own = { key: 'vm', operator: 'Equal', value: 'a', effect: 'NoSchedule' }
  const spec = { runtimeClassName: 'vm', nodeSelector: { disk: 'ssd' }, tolerations: [own] }
  const { json } = await server.send('POST', PODS, { body: podBody('boxed', spec) })
  expect(json.spec.overhead).toEqual({ cpu: '250m' })
  expect(json.spec.nodeSelector).toEqual({ disk: 'ssd', vm: 'yes' })
  // The class's toleration covers the pod's own.
  expect(json.spec.tolerations.filter(({ key }: { key: string }) => key === 'vm')).toEqual([toleration])
  const elsewhere = podBody('elsewhere', { runtimeClassName: 'vm', nodeSelector: { vm: 'no' } })
  expect((await server.send('POST', PODS, { body: elsewhere })).json.message).toBe(
    'pods "elsewhere" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no',
  )
  const claiming = await server.send('POST', PODS, { body: podBody('claiming', { overhead: { cpu: '1' } }) })
  expect(claiming.json.message).toBe(
    'pods "claiming" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  )
})

test('a claim without a class gets the newest default; one that grows needs a class that lets it', async () => {
  await using server = await startServer()
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  for (const name of ['slow', 'fast']) {
    await server.clock.advance(1_000)
    const body = { metadata: { name, annotations }, provisioner: 'example.com/disk' }
    await server.send('POST', '/apis/storage.k8s.io/v1/storageclasses', { body })
  }
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const { json } = await server.send('POST', CLAIMS, { body: { metadata: { name: 'data' }, spec } })
  expect(json.spec.storageClassName).toBe('fast')
  expect(json.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
  const classless = { metadata: { name: 'classless' }, spec: { ...spec, storageClassName: '' } }
  expect((await server.send('POST', CLAIMS, { body: classless })).json.spec.storageClassName).toBe('')
  const headers = { 'content-type': 'application/merge-patch+json' }
  const status = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } }
  await server.send('PATCH', `${CLAIMS}/data/status`, { body: status, headers })
  const larger = { spec: { resources: { requests: { storage: '2Gi' } } } }
  const refused = await server.send('PATCH', `${CLAIMS}/data`, { body: larger, headers })
  expect([refused.status, refused.json.message]).toEqual([
    403,
    'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass ' +
      'that provisions the pvc must support resize',
  ])
})

test('an ingress without a class gets the default', async () => {
  await using server = await startServer()
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
  const ingressClass = { metadata: { name: 'usual', annotations }, spec: { controller: 'example.com/controller' } }
  await server.send('POST', '/apis/networking.k8s.io/v1/ingressclasses', { body: ingressClass })
  const backend = { service: { name: 'web', port: { number: 80 } } }
  const body = { metadata: { name: 'web' }, spec: { defaultBackend: backend } }
  const { json } = await server.send('POST', '/apis/networking.k8s.io/v1/namespaces/default/ingresses', { body })
  expect(json.spec.ingressClassName).toBe('usual')
})

test('a pod that gets a node gets the labels of its zone and region', async () => {
  await using server = await startServer()
  const labels = { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'r', other: 'x' }
  await server.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'node-1', labels } } })
  await server.send('POST', PODS, { body: podBody('web') })
  const binding = { metadata: { name: 'web' }, target: { kind: 'Node', name: 'node-1' } }
  await server.send('POST', `${PODS}/web/binding`, { body: binding })
  expect((await server.send('GET', `${PODS}/web`)).json.metadata.labels).toEqual({
    'topology.kubernetes.io/zone': 'a',
    'topology.kubernetes.io/region': 'r',
  })
})

test('an account that limits secrets lets its pods have no others', async () => {
  await using server = await startServer()
  const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' }
  const account = { metadata: { name: 'careful', annotations }, secrets: [{ name: 'own' }] }
  await server.send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account })
  const using = (name: string, secret: string) => {
    const env = [{ name: 'KEY', valueFrom: { secretKeyRef: { name: secret, key: 'key' } } }]
    return podBody(name, { serviceAccountName: 'careful' }, { env })
  }
  expect((await server.send('POST', PODS, { body: using('good', 'own') })).status).toBe(201)
  const { status, json } = await server.send('POST', PODS, { body: using('bad', 'other') })
  expect([status, json.message]).toEqual([
    403,
    'pods "bad" is forbidden: container app with envVar KEY referencing secret.secretName="other" is not allowed ' +
      'because service account careful does not reference that secret',
  ])
})

test('a mirror pod has neither an account nor secrets', async () => {
  await using server = await startServer()
  const mirror = (spec: object) => ({
    metadata: { name: 'static', annotations: { 'kubernetes.io/config.mirror': 'hash' } },
    spec: { containers: [{ name: 'app', image: 'image' }], nodeName: 'node-1', ...spec },
  })
  const volumes = [{ name: 'v', secret: { secretName: 's' } }]
  const refused = await server.send('POST', PODS, { body: mirror({ volumes }) })
  expect(refused.json.message).toBe('pods "static" is forbidden: a mirror pod may not reference secrets')
  const spoken = await server.send('POST', PODS, { body: mirror({ serviceAccountName: 'default' }) })
  expect(spoken.json.message).toBe('pods "static" is forbidden: a mirror pod may not reference service accounts')
})

test('a running pod is not resized to more than its node has', async () => {
  await using server = await startServer()
  await server.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'node-1' } } })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const body = { status: { allocatable: { cpu: '2', memory: '1Gi' } } }
  await server.send('PATCH', '/api/v1/nodes/node-1/status', { body, headers })
  const sized = (cpu: string) => ({ requests: { cpu, memory: '1Mi' } })
  await server.send('POST', PODS, { body: podBody('web', { nodeName: 'node-1' }, { resources: sized('1') }) })
  const resize = (cpu: string) =>
    server.send('PATCH', `${PODS}/web/resize`, {
      body: { spec: { containers: [{ name: 'app', resources: sized(cpu) }] } },
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    })
  expect((await resize('2')).status).toBe(200)
  const { status, json } = await resize('3')
  expect([status, json.message, json.details.causes]).toEqual([
    403,
    `pods "web" is forbidden: node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000`,
    [{ reason: 'NodeCapacity' }],
  ])
})

test('the token of an account stands under one name in all pods, unless a pod has something of that name', async () => {
  await using server = await startServer()
  const create = async (name: string, spec: object = {}, container: object = {}) =>
    (await server.send('POST', PODS, { body: podBody(name, spec, container) })).json.spec
  const first = await create('first')
  const token: string = first.volumes[0].name
  expect(token).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
  expect(await create('second')).toEqual(first)
  const own = { name: token, emptyDir: {} }
  const beside = await create('beside', { volumes: [own] })
  expect(beside.volumes[0]).toEqual(own)
  expect(beside.volumes[1].name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
  expect(beside.containers[0].volumeMounts[0].name).toBe(beside.volumes[1].name)
  const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
  const itself = await create('itself', { volumes: [own] }, { volumeMounts: [{ name: token, mountPath }] })
  expect(itself.volumes).toEqual([own])
})
