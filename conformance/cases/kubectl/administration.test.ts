/** What an administrator does besides: certificates, rights, dumps, usage, and what was applied last. */

import { chmod, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { signingRequest } from '../clients/support/identities.ts'
import { eventually } from './support/eventually.ts'
import { onSimulatedCluster } from './support/on-simulated-cluster.ts'

const configMap = (data: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data })

const ROLE = (verbs: readonly string[]) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reconciled, namespace: administration }
rules:
  - { apiGroups: [''], resources: [pods], verbs: [${verbs}] }
`

onSimulatedCluster('administration', (here) => {
  test('certificate approve and deny answer who asks for a certificate', async () => {
    const { kubectl } = here()
    for (const name of ['wanted', 'unwanted']) {
      const { request } = await signingRequest(name)
      const signerName = 'kubernetes.io/kube-apiserver-client'
      const spec = { request, signerName, usages: ['client auth'] }
      const object = {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec,
      }
      await kubectl.apply(JSON.stringify(object))
    }
    expect(await kubectl.ok('certificate approve wanted')).toContain('/wanted approved')
    expect(await kubectl.ok('certificate deny unwanted')).toContain('/unwanted denied')
    await eventually(async () => {
      expect(await kubectl.ok('get csr wanted --no-headers')).toContain('Approved,Issued')
    })
    expect(await kubectl.ok('get csr unwanted --no-headers')).toContain('Denied')
    const certificate = Buffer.from(await kubectl.field('csr wanted', '{.status.certificate}'), 'base64').toString()
    expect(certificate).toMatch(/^-----BEGIN CERTIFICATE-----/)
  })

  test('auth reconcile adds what a role lacks, and takes away what it should not have', async () => {
    const { kubectl } = here()
    const reconcile = (verbs: readonly string[], flags = '') =>
      kubectl.ok(`auth reconcile -f -${flags}`, { input: ROLE(verbs) })
    const verbs = () => kubectl.field('role reconciled', '{.rules[*].verbs}')
    expect(await reconcile(['get'])).toContain('role.rbac.authorization.k8s.io/reconciled reconciled')
    await reconcile(['list'])
    expect(await verbs()).toContain('get')
    expect(await verbs()).toContain('list')
    await reconcile(['list'], ' --remove-extra-permissions')
    expect(await verbs()).toBe('["list"]')
    expect(await kubectl.ok('auth can-i delete pods')).toBe('yes\n')
    expect(await kubectl.ok('auth whoami')).toContain('system:authenticated')
  })

  test('cluster-info dump writes what there is into files', async () => {
    const { cluster, kubectl } = here()
    await kubectl.ok('create deployment dumped --image=web:1')
    await kubectl.ok('rollout status deployment/dumped --timeout=60s')
    const directory = join(cluster.directory, 'dump')
    await kubectl.ok(`cluster-info dump --namespaces=administration --output-directory=${directory}`)
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['nodes.json', 'administration']))
    const files = await readdir(join(directory, 'administration'))
    expect(files).toEqual(expect.arrayContaining(['deployments.json', 'events.json', 'pods.json', 'services.json']))
    expect(files.some((file) => file.startsWith('dumped-'))).toBe(true)
  })

  test('top says what nodes and pods use', async () => {
    const { kubectl } = here()
    await eventually(async () => {
      expect(await kubectl.ok('top node')).toMatch(/^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\)/)
      expect(await kubectl.ok('top pod --no-headers')).toMatch(/^dumped-\S+ +\d+m +\d+Mi/)
    })
  })

  describe('apply', () => {
    test('view-last-applied, set-last-applied and edit-last-applied', async () => {
      const { cluster, kubectl } = here()
      const seen = async () => JSON.parse(await kubectl.ok('apply view-last-applied configmap applied -o json')).data
      await kubectl.apply(configMap({ a: '1' }))
      expect(await seen()).toEqual({ a: '1' })
      const file = join(cluster.directory, 'applied.json')
      await writeFile(file, configMap({ a: '2' }))
      expect(await kubectl.ok(`apply set-last-applied -f ${file}`)).toBe('configmap/applied configured\n')
      expect(await seen()).toEqual({ a: '2' })
      const editor = join(cluster.directory, 'editor')
      await writeFile(editor, '#!/bin/sh\nsed -i \'s/a: "2"/a: "3"/\' "$1"\n')
      await chmod(editor, 0o755)
      const env = { KUBE_EDITOR: editor }
      expect(await kubectl.ok('apply edit-last-applied configmap/applied', { env })).toContain('applied edited')
      expect(await seen()).toEqual({ a: '3' })
      expect(await kubectl.field('configmap applied', '{.data.a}')).toBe('1')
    })
  })
})
