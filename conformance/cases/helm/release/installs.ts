/** The release is made: all of it, in order, and written as Helm says that it writes. */

import { expect, test } from 'vitest'
import { liveObject, liveObjects, managersOf, namesOf } from '../support/objects.ts'
import type { Stage } from './stage.ts'

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

export function installs({ major, namespace, helm, kubectl, chart, values, state }: Stage): void {
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
    const deployment = await liveObject(kubectl(), 'deployment shop-web')
    expect(managersOf(deployment, 'status')).toEqual(['kube-controller-manager Update'])
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
}
