import { expect, test } from 'vitest'
import { nodes } from '../../../../apis/core/node.ts'
import type { UserInfo } from '../../../../machinery/wire/message.ts'
import { onlySuperusers } from '../../../auth/authorization.ts'
import type { Attributes, Authorizer } from '../../../auth/authorizer.ts'
import { nodeProxy } from './node-proxy.ts'

const user: UserInfo = { name: 'monitor', groups: [] }

/** What was asked for, by somebody who may do nothing of it. */
async function needed(path: string, subresource = 'proxy'): Promise<readonly string[]> {
  const asked: string[] = []
  const authorizer: Authorizer = {
    authorize: ({ verb, resource, subresource: sub, namespace, name }: Attributes) => {
      asked.push(`${verb} ${resource}/${sub} ${namespace}/${name}`)
      return { verdict: 'no-opinion', reason: '' }
    },
  }
  const object = { kind: 'NodeProxyOptions', apiVersion: 'v1', metadata: {}, ...(path !== '' && { path }) }
  const attributes = {
    ...({ operation: 'CONNECT', definition: nodes, subresource, namespace: '', name: 'a', user, object } as const),
    ...{ previous: undefined, dryRun: false, options: {}, signal: undefined, warn: () => {} },
  }
  await nodeProxy({ authorization: { ...onlySuperusers, authorizer } })
    .validate?.(attributes)
    ?.catch((error: { readonly code: number }) => expect(error.code).toBe(403))
  return asked
}

for (const [path, expected] of [
  ['/exec/default/web/app', ['create pods/exec default/web']],
  ['/attach/default/web/app', ['create pods/attach default/web']],
  ['/portForward/default/web', ['create pods/portforward default/web']],
  ['/run/default/web/app', ['create pods/exec default/web']],
  ['/%65xec/default/w%65b/app', ['create pods/exec default/web']],
  ['/exec', ['create pods/exec /']],
  ['/containerLogs/default/web/app', []],
  ['/pods', []],
  ['/stats/summary', []],
  ['', []],
  ['/%zz', []],
] as const)
  test(`the path ${JSON.stringify(path)} of a node needs ${expected.join() || 'nothing more'}`, async () => {
    expect(await needed(path)).toEqual(expected)
  })

test('other subresources are not looked at', async () => {
  expect(await needed('/exec/default/web/app', 'status')).toEqual([])
})
