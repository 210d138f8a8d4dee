/** What the parts of the release do: servers, rights, webhook, custom resources, jobs. */

import { expect, test } from 'vitest'
import { eventually } from '../../kubectl/support/eventually.ts'
import { liveObject, liveObjects } from '../support/objects.ts'
import type { Stage } from './stage.ts'

/** What the parts of the release do for those who use it. */
export function works({ namespace, kubectl, ask, token, uidsOf }: Stage): void {
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
    await eventually(async () => {
      expect(await kubectl().field('resourcequota shop', '{.status.used.pods}')).toBe('5')
      expect(await kubectl().field('poddisruptionbudget shop-web', '{.status.disruptionsAllowed}')).toBe('1')
    })
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
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unjudged', labels: { guarded: 'true' } } }
    const create = (...flags: readonly string[]) =>
      kubectl().run(['create', '-f', '-', ...flags], { input: JSON.stringify(object) })
    await kubectl().ok('scale deployment shop-guard --replicas=0')
    await kubectl().ok('wait --for=delete pod -l app.kubernetes.io/name=guard --timeout=60s')
    expect((await create()).stderr).toContain('failed calling webhook "config-maps.guard.example.com"')
    await kubectl().ok('scale deployment shop-guard --replicas=1')
    await kubectl().ok('rollout status deployment shop-guard --timeout=60s')
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
