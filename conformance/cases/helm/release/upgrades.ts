/** The release is changed, and taken back. */

import { expect, test } from 'vitest'
import { eventually } from '../../kubectl/support/eventually.ts'
import { namesOf } from '../support/objects.ts'
import type { Stage } from './stage.ts'

export function upgrades({ major, namespace, helm, kubectl, values, ask, token, uidsOf, state }: Stage): void {
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
