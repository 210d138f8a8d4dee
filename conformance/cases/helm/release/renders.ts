/** The chart before there is a release: checked, packed, rendered. */

import { expect, test } from 'vitest'
import type { Stage } from './stage.ts'

export function renders({ major, cluster, helm, chart, values }: Stage): void {
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
