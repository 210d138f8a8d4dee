/** What Helm says of the release, and how the release is tested. */

import { expect, test } from 'vitest'
import type { Stage } from './stage.ts'

export function isAsked({ major, namespace, helm, kubectl, values, token }: Stage): void {
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
