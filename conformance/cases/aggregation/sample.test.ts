/** Upstream's sample API server behind t8s, as a person with kubectl sees it: alive, dead, and alive again. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../kubectl/support/eventually.ts'
import type { Kubectl } from '../kubectl/support/kubectl.ts'
import { flunder } from './support/manifests.ts'
import { reasonToSkip, type SampleCluster, startSample } from './support/sample.ts'

const skipped = reasonToSkip()
const GROUP = 'wardle.example.com'

describe.skipIf(skipped !== undefined)(`the sample API server${skipped === undefined ? '' : `: ${skipped}`}`, () => {
  let sample: SampleCluster
  let kubectl: Kubectl

  beforeAll(async () => {
    sample = await startSample()
    ;({ kubectl } = sample)
    await becomesAvailable('True')
  })
  afterAll(() => sample?.[Symbol.asyncDispose]())

  const becomesAvailable = (status: string) =>
    eventually(async () => {
      const table = await kubectl.ok('get apiservices')
      const rows = table.split('\n').filter((line) => line.includes(GROUP))
      expect(rows.map((row) => row.split(/\s+/).slice(1, 3).join(' '))).toEqual([
        `wardle/api ${status}`,
        `wardle/api ${status}`,
      ])
    })

  test('is in discovery, OpenAPI and kubectl explain', async () => {
    const table = await eventually(async () => {
      const found = await kubectl.ok(`api-resources --api-group=${GROUP} --cached=false`)
      expect(found).toContain('flunders')
      return found
    })
    expect(table).toMatch(/^fischers\s+wardle.example.com\/v1alpha1\s+false\s+Fischer$/m)
    expect(table).toMatch(/^flunders\s+wardle.example.com\/v1alpha1\s+true\s+Flunder$/m)
    expect(await kubectl.ok('api-versions')).toContain(`${GROUP}/v1alpha1\n${GROUP}/v1beta1`)
    const explained = await eventually(() => kubectl.ok(`explain flunders.spec --api-version=${GROUP}/v1beta1`))
    expect(explained).toContain('VERSION:    v1beta1')
    expect(explained).toMatch(/FIELDS:\s+fischerReference\s/)
  })

  test('keeps flunders: applied, watched, patched, listed in both versions, deleted', async () => {
    await kubectl.apply(flunder('one', { labels: { color: 'red' } }))
    await using watch = kubectl.start('get flunders --watch --output-watch-events')
    await watch.prints(/ADDED +one /)
    await kubectl.ok('label flunder one color=blue --overwrite')
    await watch.prints(/MODIFIED +one /)
    await kubectl.ok('apply --server-side --force-conflicts -f -', {
      input: flunder('one', { labels: { color: 'green' } }),
    })
    expect(await kubectl.ok('get flunders -l color=green -o name')).toBe('flunder.wardle.example.com/one\n')
    const beta = JSON.parse(await kubectl.ok(`get --raw /apis/${GROUP}/v1beta1/namespaces/wardle/flunders/one`))
    expect(beta).toMatchObject({ apiVersion: `${GROUP}/v1beta1`, metadata: { labels: { color: 'green' } } })
    await kubectl.ok('delete flunder one')
    await watch.prints(/DELETED +one /)
    expect(await kubectl.ok('get flunders -o name')).toBe('')
  })

  test('refuses in its own words', async () => {
    await kubectl.apply(flunder('two'))
    const again = await kubectl.fails('create -f -', { input: flunder('two') })
    expect(again).toContain(`flunders.${GROUP} "two" already exists`)
    await kubectl.ok('delete flunder two')
  })

  test('lets people do what the roles of the cluster allow, and asks the cluster itself as well', async () => {
    expect(await kubectl.fails('get flunders --as=jane')).toContain(
      `flunders.${GROUP} is forbidden: User "jane" cannot list resource "flunders"`,
    )
    await kubectl.ok(`create role flunder-reader --verb=get,list,watch --resource=flunders.${GROUP}`)
    await kubectl.ok('create rolebinding jane --role=flunder-reader --user=jane')
    expect(await kubectl.ok('get flunders --as=jane -o name')).toBe('')
    expect(await kubectl.ok('auth can-i list flunders --as=jane')).toBe('yes\n')
    expect(await kubectl.fails('create -f - --as=jane', { input: flunder('three') })).toContain('is forbidden')
  })

  test('takes part in the deletion of a namespace', async () => {
    await kubectl.ok('create namespace short')
    await kubectl.in('short').apply(flunder('four'))
    await kubectl.ok('delete namespace short --timeout=60s')
    expect(await kubectl.fails('get namespace short')).toContain('not found')
  })

  test('when it dies, nothing else does', async () => {
    await kubectl.apply(flunder('kept'))
    await sample.kill()
    expect(await kubectl.fails('get flunders')).toContain('the server is currently unable to handle the request')
    await becomesAvailable('False')
    expect(await kubectl.ok('get apiservices')).toMatch(
      /v1beta1.wardle.example.com\s+wardle\/api\s+False \(FailedDiscoveryCheck\)/,
    )
    expect(await kubectl.ok('get all -A')).toContain('service/kubernetes')
    expect((await kubectl.run('api-resources --cached=false')).stdout).toMatch(/^deployments\s+deploy\s+apps\/v1/m)
    await kubectl.ok('create configmap alive')
    await kubectl.ok('explain deployments.spec.replicas')
    await kubectl.ok('create namespace waiting')
    await kubectl.in('waiting').ok('create configmap last')
    await kubectl.ok('delete namespace waiting --wait=false')
    await eventually(async () => {
      const namespace = JSON.parse(await kubectl.ok('get namespace waiting -o json'))
      const failed = namespace.status.conditions.find(
        ({ type }: { type: string }) => type === 'NamespaceDeletionDiscoveryFailure',
      )
      expect(failed).toMatchObject({ status: 'True', reason: 'DiscoveryFailed' })
    })
    expect(await kubectl.in('waiting').fails('get configmap last')).toContain('not found')
  })

  test('when it comes back, so does everything of it', async () => {
    await sample.restart()
    await becomesAvailable('True')
    expect(await kubectl.ok('get flunders -o name')).toBe('flunder.wardle.example.com/kept\n')
    await eventually(async () => expect(await kubectl.fails('get namespace waiting')).toContain('not found'))
  })
})
