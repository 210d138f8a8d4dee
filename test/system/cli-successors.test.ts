/** `t8s rotate ca` and `rotate signing-key`: a stopped cluster signs with something else when it starts again. */

import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entryOf, type KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import { type CommandLine, createCommandLine } from './command-line.ts'

let line: CommandLine
beforeAll(() => {
  line = createCommandLine()
})
afterAll(() => line[Symbol.asyncDispose]())

/** The status with which the server answers whoever has this kubeconfig. */
function status({ server, certificateAuthority: ca, clientCertificate: cert, clientKey: key }: KubeconfigEntry) {
  return new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${server}/api/v1/nodes`, { ca, cert, key, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

function entry(): KubeconfigEntry {
  const found = entryOf(readFileSync(line.kubeconfig, 'utf8'))
  if (!found) throw new Error('there is an entry')
  return found
}

test('whoever knows only the old authority goes on, and everybody gets to know the new one', async () => {
  expect((await line.run('up', '--detach', '--nodes=0', '--port=0')).code).toBe(0)
  const before = entry()
  for (const what of ['ca', 'signing-key']) {
    const refused = await line.run('rotate', what)
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('Cluster "t8s" is running.')
  }
  expect((await line.run('stop')).code).toBe(0)
  for (const what of ['ca', 'signing-key']) expect((await line.run('rotate', what)).code).toBe(0)
  expect((await line.run('start')).code).toBe(0)
  const after = entry()
  expect(after.clientCertificate).not.toBe(before.clientCertificate)
  expect(after.certificateAuthority.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  expect(await Promise.all([status(before), status(after)])).toEqual([200, 200])
})
