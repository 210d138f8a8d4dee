/** Upgrades that cannot succeed. */

import { expect, test } from 'vitest'
import { eventually } from '../../kubectl/support/eventually.ts'
import type { Stage } from './stage.ts'

export function fails({ helm, kubectl, history, rollbackOnFailure, ask, uidsOf }: Stage): void {
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
