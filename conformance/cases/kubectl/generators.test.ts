/** Objects that are made from words on the command line: every generator of `create`, and what sets single fields. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { onSimulatedCluster } from './support/on-simulated-cluster.ts'

/** Words after `create`, what the object is called, and a field of it with its value. */
const GENERATED = [
  [
    'clusterrole reader --verb=get,list --resource=pods,nodes',
    'clusterrole reader',
    '{.rules[0].verbs}',
    '["get","list"]',
  ],
  [
    'clusterrole metrics --verb=get --non-resource-url=/metrics',
    'clusterrole metrics',
    '{.rules[0].nonResourceURLs}',
    '["/metrics"]',
  ],
  [
    'clusterrolebinding reads --clusterrole=reader --user=jane',
    'clusterrolebinding reads',
    '{.subjects[0].name}',
    'jane',
  ],
  ['configmap words --from-literal=a=1 --from-literal=b=2', 'configmap words', '{.data}', '{"a":"1","b":"2"}'],
  ['cronjob tick --image=busybox --schedule=0_0_1_1_* -- date', 'cronjob tick', '{.spec.schedule}', '0 0 1 1 *'],
  ['deployment web --image=web:1 --replicas=2 --port=80', 'deployment web', '{.spec.replicas}', '2'],
  [
    'ingress front --rule=here.example/path*=web:80',
    'ingress front',
    '{.spec.rules[0].http.paths[0].pathType}',
    'Prefix',
  ],
  ['job once --image=busybox -- true', 'job once', '{.spec.template.spec.containers[0].command}', '["true"]'],
  ['job again --from=cronjob/tick', 'job again', '{.metadata.ownerReferences[0].kind}', 'CronJob'],
  [
    'poddisruptionbudget most --selector=app=web --min-available=50%',
    'poddisruptionbudget most',
    '{.spec.minAvailable}',
    '50%',
  ],
  ['priorityclass urgent --value=1000 --description=first', 'priorityclass urgent', '{.value}', '1000'],
  ['quota few --hard=configmaps=50,pods=20', 'resourcequota few', '{.spec.hard}', '{"configmaps":"50","pods":"20"}'],
  ['role editor --verb=* --resource=deployments.apps', 'role editor', '{.rules[0].apiGroups}', '["apps"]'],
  [
    'rolebinding edits --role=editor --serviceaccount=generators:robot',
    'rolebinding edits',
    '{.subjects[0].kind}',
    'ServiceAccount',
  ],
  ['secret generic keys --from-literal=token=open', 'secret keys', '{.data.token}', 'b3Blbg=='],
  [
    'secret docker-registry pull --docker-server=r.example --docker-username=me --docker-password=pass',
    'secret pull',
    '{.type}',
    'kubernetes.io/dockerconfigjson',
  ],
  ['service clusterip inside --tcp=80:8080', 'service inside', '{.spec.ports[0].targetPort}', '8080'],
  ['service nodeport outside --tcp=80', 'service outside', '{.spec.type}', 'NodePort'],
  ['service loadbalancer balanced --tcp=80', 'service balanced', '{.spec.type}', 'LoadBalancer'],
  [
    'service externalname elsewhere --external-name=a.example',
    'service elsewhere',
    '{.spec.externalName}',
    'a.example',
  ],
  ['serviceaccount robot', 'serviceaccount robot', '{.metadata.name}', 'robot'],
] as const

onSimulatedCluster('generators', (here) => {
  describe('create', () => {
    test.each(GENERATED)('%s', async (words, object, path, value) => {
      const { kubectl } = here()
      const created = ['create', ...words.split(' ').map((word) => word.replaceAll('_', ' '))]
      expect(await kubectl.ok(created)).toMatch(/ created\n$/)
      expect(await kubectl.field(object, path)).toBe(value)
    })

    test('secret tls, from files', async () => {
      const { cluster, kubectl } = here()
      const { users } = JSON.parse(await kubectl.ok('config view --raw -o json'))
      const files = { cert: join(cluster.directory, 'certificate'), key: join(cluster.directory, 'key') }
      await writeFile(files.cert, Buffer.from(users[0].user['client-certificate-data'], 'base64'))
      await writeFile(files.key, Buffer.from(users[0].user['client-key-data'], 'base64'))
      await kubectl.ok(`create secret tls pair --cert=${files.cert} --key=${files.key}`)
      expect(await kubectl.field('secret pair', '{.type}')).toBe('kubernetes.io/tls')
    })

    test('a token lasts as long as it is asked to', async () => {
      const { kubectl } = here()
      const token = (await kubectl.ok('create token robot --duration=2h --audience=me')).trim()
      const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      expect(payload).toMatchObject({ aud: ['me'], sub: 'system:serviceaccount:generators:robot' })
      expect(payload.exp - payload.iat).toBe(7_200)
    })
  })

  test('expose and run make a Service and a Pod', async () => {
    const { kubectl } = here()
    await kubectl.ok('expose deployment web --port=80 --target-port=8080')
    expect(await kubectl.field('service web', '{.spec.selector}')).toBe('{"app":"web"}')
    await kubectl.ok('run single --image=web:1 --labels=app=single --port=80 --expose')
    expect(await kubectl.field('pod,service -l run!=x', '{.items[?(@.metadata.name=="single")].kind}')).toBe(
      'Pod Service',
    )
  })

  test('autoscale and scale', async () => {
    const { kubectl } = here()
    await kubectl.ok('autoscale deployment web --min=2 --max=5 --cpu=60%')
    const metric = '{.spec.metrics[0].resource.target.averageUtilization}'
    expect(await kubectl.field('hpa web', metric)).toBe('60')
    expect(await kubectl.ok('scale deployment web --replicas=3 --current-replicas=2')).toBe(
      'deployment.apps/web scaled\n',
    )
    await kubectl.ok('delete hpa web')
  })

  test('set changes one thing of a template, a selector or a binding', async () => {
    const { kubectl } = here()
    const template = (path: string) => kubectl.field('deployment web', `{.spec.template.spec${path}}`)
    await kubectl.ok('set image deployment/web web=web:2')
    expect(await template('.containers[0].image')).toBe('web:2')
    await kubectl.ok('set env deployment/web GREETING=hello --from=configmap/words')
    expect(await kubectl.ok('set env deployment/web --list')).toContain('GREETING=hello')
    // kubectl takes the keys of a ConfigMap in any order.
    const names = await template('.containers[0].env[*].name')
    expect(names.split(' ').toSorted()).toEqual(['A', 'B', 'GREETING'])
    await kubectl.ok('set resources deployment/web --limits=cpu=200m,memory=64Mi --requests=cpu=100m')
    expect(await template('.containers[0].resources.limits')).toBe('{"cpu":"200m","memory":"64Mi"}')
    await kubectl.ok('set serviceaccount deployment/web robot')
    expect(await template('.serviceAccountName')).toBe('robot')
    await kubectl.ok('set selector service/inside app=web,tier=front')
    expect(await kubectl.field('service inside', '{.spec.selector}')).toBe('{"app":"web","tier":"front"}')
    await kubectl.ok('set subject rolebinding/edits --user=joe --group=people')
    expect(await kubectl.field('rolebinding edits', '{.subjects[*].name}')).toBe('robot joe people')
  })
})
