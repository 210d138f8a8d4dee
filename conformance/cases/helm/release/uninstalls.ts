/** The release ends: what goes, what stays. */

import { expect, test } from 'vitest'
import { eventually } from '../../kubectl/support/eventually.ts'
import { namesOf } from '../support/objects.ts'
import type { Stage } from './stage.ts'

export function uninstalls({ namespace, helm, kubectl, gone, history, ask }: Stage): void {
  const starts = async () => (await kubectl().ok('exec shop-store-0 -- cat /data/starts')).trim().split('\n').length
  const everywhere = 'priorityclasses,mutatingwebhookconfigurations,validatingwebhookconfigurations'
  const clusterWide = async () =>
    (await namesOf(kubectl(), everywhere)).filter((name) => name.endsWith(`/${namespace}-shop`))

  test('leaves its history, claims and definitions, and can be taken back with what was kept', async () => {
    const before = await starts()
    await helm().ok('uninstall shop --keep-history --wait --cascade foreground --timeout 60s')
    await gone('deployments,replicasets,statefulsets,services,monitors,secrets -l owner!=helm')
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
    await eventually(async () => expect(await remaining()).toEqual(LEFT))
    expect(await clusterWide()).toEqual([])
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
