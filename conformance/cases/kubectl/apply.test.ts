/** How objects change, with every kubectl: apply and what it removes, server-side, diff, patch, edit, label, annotate. */

import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { kubectlBinaries } from './support/kubectl.ts'
import { onCluster } from './support/on-cluster.ts'

const configMap = (name: string, data: Readonly<Record<string, string>>) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })

/** No pods come of it: it is about the object. */
const deployment = (name: string, containers: readonly object[]) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
    },
  })

onCluster({ name: 'apply', range: 142 }, (cluster) => {
  const binaries = kubectlBinaries()

  beforeAll(async () => {
    await Promise.all(
      binaries.map(async (binary) => {
        const kubectl = cluster().kubectlOf(binary, namespaceOf(binary.version))
        await kubectl.ok(`create namespace ${kubectl.namespace}`)
        await eventually(() => kubectl.ok('get serviceaccount default'))
      }),
    )
  })

  for (const binary of binaries) {
    describe.concurrent(`kubectl ${binary.version}`, () => {
      const kubectlHere = () => cluster().kubectlOf(binary, namespaceOf(binary.version))

      test('apply creates, leaves alone, changes, and removes what is no longer said', async () => {
        const kubectl = kubectlHere()
        expect(await kubectl.apply(configMap('applied', { kept: '1', dropped: '2' }))).toBe(
          'configmap/applied created\n',
        )
        expect(await kubectl.apply(configMap('applied', { kept: '1', dropped: '2' }))).toBe(
          'configmap/applied unchanged\n',
        )
        await kubectl.ok(['patch', 'configmap', 'applied', '-p', '{"data":{"others":"3"}}'])
        expect(await kubectl.apply(configMap('applied', { kept: '4' }))).toBe('configmap/applied configured\n')
        expect(JSON.parse(await kubectl.field('configmap applied', '{.data}'))).toEqual({ kept: '4', others: '3' })
      })

      test('apply merges lists by their keys', async () => {
        const kubectl = kubectlHere()
        const web = { name: 'web', image: 'web:1', env: [{ name: 'A', value: '1' }] }
        await kubectl.apply(deployment('merged', [web, { name: 'side', image: 'side:1' }]))
        const patch = {
          spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'B', value: '2' }] }] } } },
        }
        await kubectl.ok(['patch', 'deployment', 'merged', '--type=strategic', '-p', JSON.stringify(patch)])
        await kubectl.apply(deployment('merged', [{ ...web, image: 'web:2' }]))
        const containers = JSON.parse(await kubectl.field('deployment merged', '{.spec.template.spec.containers}'))
        expect(containers).toEqual([expect.objectContaining({ name: 'web', image: 'web:2' })])
        const names = containers[0].env.map(({ name }: { name: string }) => name).sort()
        expect(names).toEqual(['A', 'B'])
      })

      test('apply --prune takes away what the files no longer hold', async () => {
        const kubectl = kubectlHere()
        const labelled = (name: string) =>
          configMap(name, {}).replace('"metadata":{', '"metadata":{"labels":{"set":"x"},')
        const words = 'apply -f - --prune -l set=x --prune-allowlist=core/v1/ConfigMap'
        await kubectl.ok(words, { input: labelled('one') + labelled('two') })
        expect(await kubectl.ok(words, { input: labelled('two') })).toContain('configmap/one pruned')
        expect(await kubectl.ok('get configmaps -l set=x -o name')).toBe('configmap/two\n')
      })

      test('apply --server-side refuses another owner, yields to force and tells who owns what', async () => {
        const kubectl = kubectlHere()
        const as = (manager: string) => `apply --server-side --field-manager=${manager} -f -`
        expect(await kubectl.ok(as('first'), { input: configMap('owned', { a: '1', b: '1' }) })).toBe(
          'configmap/owned serverside-applied\n',
        )
        const refusal = await kubectl.fails(as('second'), { input: configMap('owned', { a: '2' }) })
        expect(refusal).toContain('conflict with "first": .data.a')
        await kubectl.ok(`${as('second')} --force-conflicts`, { input: configMap('owned', { a: '2' }) })
        await kubectl.ok(as('first'), { input: configMap('owned', { b: '3' }) })
        expect(JSON.parse(await kubectl.field('configmap owned', '{.data}'))).toEqual({ a: '2', b: '3' })
        await kubectl.ok(as('first'), { input: configMap('owned', {}) })
        expect(JSON.parse(await kubectl.field('configmap owned', '{.data}'))).toEqual({ a: '2' })
        const owners = JSON.parse(await kubectl.ok('get configmap owned -o json --show-managed-fields')).metadata
        expect(owners.managedFields).toContainEqual(
          expect.objectContaining({ manager: 'second', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {} } } }),
        )
      })

      test('diff shows what would change and says so with its exit code', async () => {
        const kubectl = kubectlHere()
        await kubectl.apply(configMap('compared', { a: 'before' }))
        const same = await kubectl.run('diff -f -', { input: configMap('compared', { a: 'before' }) })
        expect(same).toMatchObject({ code: 0, stdout: '' })
        const changed = await kubectl.run('diff -f -', { input: configMap('compared', { a: 'after' }) })
        expect(changed.code).toBe(1)
        expect(changed.stdout).toMatch(/^- +a: before\n\+ +a: after$/m)
        const added = await kubectl.run('diff -f - --server-side', { input: configMap('not-there', { a: '1' }) })
        expect(added.code).toBe(1)
        expect(added.stdout).toMatch(/^\+kind: ConfigMap$/m)
        expect(await kubectl.ok('get configmap not-there --ignore-not-found')).toBe('')
      })

      test('patch speaks three languages', async () => {
        const kubectl = kubectlHere()
        await kubectl.apply(deployment('patched', [{ name: 'web', image: 'web:1' }]))
        const patch = (type: string, body: unknown) =>
          kubectl.ok(['patch', 'deployment', 'patched', `--type=${type}`, '-p', JSON.stringify(body)])
        const containers = [{ name: 'side', image: 'side:1' }]
        await patch('strategic', { spec: { template: { spec: { containers } } } })
        expect(await kubectl.field('deployment patched', '{.spec.template.spec.containers[*].name}')).toBe('side web')
        await patch('merge', { spec: { template: { spec: { containers } } } })
        expect(await kubectl.field('deployment patched', '{.spec.template.spec.containers[*].name}')).toBe('side')
        await patch('json', [
          { op: 'test', path: '/spec/template/spec/containers/0/name', value: 'side' },
          { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'side:2' },
          { op: 'add', path: '/metadata/labels', value: { by: 'json' } },
        ])
        expect(await kubectl.ok('get deployment patched -o jsonpath={..image},{.metadata.labels.by}')).toBe(
          'side:2,json',
        )
        expect(await patch('merge', { metadata: { labels: { by: 'json' } } })).toBe(
          'deployment.apps/patched patched (no change)\n',
        )
        const failed = [{ op: 'test', path: '/spec/replicas', value: 9 }]
        const refusal = await kubectl.fails([
          'patch',
          'deployment',
          'patched',
          '--type=json',
          '-p',
          JSON.stringify(failed),
        ])
        expect(refusal).toContain('The request is invalid')
        const scale = ['patch', 'deployment', 'patched', '--subresource=scale', '--type=merge', '-p']
        await kubectl.ok([...scale, '{"spec":{"replicas":0}}'])
      })

      test('edit opens an editor, saves what it leaves, and comes back with what is wrong', async () => {
        const kubectl = kubectlHere()
        await kubectl.apply(configMap('edited', { word: 'before' }))
        const edit = async (script: string) => {
          const editor = join(await mkdtemp(join(cluster().directory, 'editor-')), 'editor')
          await writeFile(editor, `#!/bin/sh\n${script}\n`)
          await chmod(editor, 0o755)
          return kubectl.run('edit configmap edited', { env: { KUBE_EDITOR: editor } })
        }
        expect(await edit('sed -i s/before/after/ "$1"')).toMatchObject({
          code: 0,
          stdout: 'configmap/edited edited\n',
        })
        expect(await kubectl.field('configmap edited', '{.data.word}')).toBe('after')
        expect((await edit('true')).stderr).toContain('Edit cancelled, no changes made.')
        const invalid = await edit('sed -i s/name:.edited/name:\\ other/ "$1"')
        expect(invalid.code).not.toBe(0)
        expect(invalid.stderr).toContain('At least one of apiVersion, kind and name was changed')
        expect(await kubectl.field('configmap edited', '{.data.word}')).toBe('after')
      })

      test('label and annotate set, refuse to overwrite, overwrite and remove', async () => {
        const kubectl = kubectlHere()
        await kubectl.apply(configMap('marked', {}))
        expect(await kubectl.ok('label configmap marked tier=web')).toBe('configmap/marked labeled\n')
        expect(await kubectl.fails('label configmap marked tier=db')).toContain("'tier' already has a value (web)")
        await kubectl.ok('label configmap marked tier=db --overwrite')
        expect(await kubectl.ok('get configmap -l tier=db -o name')).toBe('configmap/marked\n')
        expect(await kubectl.ok('label configmap marked tier-')).toBe('configmap/marked unlabeled\n')
        expect(await kubectl.ok(['annotate', 'configmap', 'marked', 'note=several words'])).toMatch(
          /^configmap\/marked annotated?\n$/,
        )
        expect(await kubectl.field('configmap marked', '{.metadata.annotations.note}')).toBe('several words')
        expect(await kubectl.fails('label configmap marked -bad=x')).not.toBe('')
      })

      test('replace, dry runs, set and delete', async () => {
        const kubectl = kubectlHere()
        await kubectl.apply(deployment('changed', [{ name: 'web', image: 'web:1' }]))
        await kubectl.ok('set image deployment/changed web=web:2 --dry-run=server')
        expect(await kubectl.field('deployment changed', '{.metadata.generation} {..image}')).toBe('1 web:1')
        await kubectl.ok('set image deployment/changed web=web:2')
        await kubectl.ok('set env deployment/changed COLOUR=blue')
        expect(await kubectl.ok('set env deployment/changed --list')).toContain('COLOUR=blue')
        await kubectl.ok('set resources deployment/changed --limits=cpu=200m,memory=64Mi')
        expect(await kubectl.field('deployment changed', '{..resources.limits.cpu}')).toBe('200m')
        const replacement = deployment('changed', [{ name: 'web', image: 'web:3' }])
        expect(await kubectl.ok('replace -f -', { input: replacement })).toBe('deployment.apps/changed replaced\n')
        expect(await kubectl.field('deployment changed', '{..image}')).toBe('web:3')
        expect(await kubectl.fails('create -f -', { input: replacement })).toContain(
          'deployments.apps "changed" already exists',
        )
        expect(await kubectl.ok('delete deployment changed')).toContain('deployment.apps "changed" deleted')
        expect(await kubectl.fails('get deployment changed')).toBe(
          'Error from server (NotFound): deployments.apps "changed" not found\n',
        )
      })

      test('what is wrong with a manifest is said by path', async () => {
        const kubectl = kubectlHere()
        const unknown = configMap('wrong', {}).replace('"data"', '"dta"')
        expect(await kubectl.fails('apply -f -', { input: unknown })).toContain('unknown field "dta"')
        const invalid = deployment('wrong', [{ name: 'Upper', image: 'web:1' }])
        const refusal = await kubectl.fails('apply -f -', { input: invalid })
        expect(refusal).toContain(
          'The Deployment "wrong" is invalid: spec.template.spec.containers[0].name: Invalid value',
        )
        const { code, stderr } = await kubectl.run('apply -f - --validate=warn', { input: unknown })
        expect(code).toBe(0)
        expect(stderr).toContain('unknown field "dta"')
      })
    })
  }
})

function namespaceOf(version: string): string {
  return `apply-${version.replace('.', '-').toLowerCase()}`
}
