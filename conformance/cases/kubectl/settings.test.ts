/** What kubectl does mostly by itself, with a cluster at its side: its settings, plugins, completions, a proxy, kustomize. */

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { onSimulatedCluster } from './support/on-simulated-cluster.ts'

onSimulatedCluster('settings', (here) => {
  test('config: contexts, clusters, users and single values', async () => {
    const { cluster, kubectl } = here()
    const file = join(cluster.directory, 'settings')
    await writeFile(file, await readFile(cluster.kubeconfig))
    const config = (words: string) => kubectl.ok(`config --kubeconfig=${file} ${words}`)
    const current = (await config('current-context')).trim()
    expect(current).toBe('t8s-clients-settings')
    await config('set-cluster other --server=https://127.0.0.1:1 --insecure-skip-tls-verify=true')
    await config('set-credentials other --token=secret')
    await config('set-context other --cluster=other --user=other --namespace=there')
    expect(await config('get-clusters')).toMatch(/^NAME\n(.*\n)*other\n/)
    expect(await config('get-users')).toContain('other\n')
    expect(await config('get-contexts -o name')).toBe(`other\n${current}\n`)
    await config('rename-context other renamed')
    await config('use-context renamed')
    expect(await config('view --minify -o jsonpath={.contexts[0].context.namespace}')).toBe('there')
    expect(await config('view')).not.toContain('secret')
    await config('set contexts.renamed.namespace elsewhere')
    await config('unset clusters.other.insecure-skip-tls-verify')
    expect(await config('view --minify -o jsonpath={..namespace}')).toBe('elsewhere')
    for (const words of ['delete-context renamed', 'delete-cluster other', 'delete-user other']) await config(words)
    expect(await config('get-contexts -o name')).toBe(`${current}\n`)
  })

  test('kuberc: settings that a person keeps', async () => {
    const { cluster, kubectl } = here()
    const kuberc = join(cluster.directory, 'kuberc')
    await writeFile(kuberc, JSON.stringify({ apiVersion: 'kubectl.config.k8s.io/v1beta1', kind: 'Preference' }))
    await kubectl.ok(`kuberc set --kuberc=${kuberc} --section=defaults --command=get --option=output=name`)
    expect(await kubectl.ok(`kuberc view --kuberc=${kuberc}`)).toContain('output')
    expect(await kubectl.ok(`get serviceaccount default --kuberc=${kuberc}`)).toBe('serviceaccount/default\n')
  })

  test('plugins are found on the path, and run', async () => {
    const { cluster, plain } = here()
    const folder = join(cluster.directory, 'plugins')
    await mkdir(folder)
    const plugin = join(folder, 'kubectl-greet')
    await writeFile(plugin, '#!/bin/sh\necho "hello $1"\n')
    await chmod(plugin, 0o755)
    const path = `${folder}:${process.env.PATH}`
    expect((await plain(['plugin', 'list'], path)).stdout).toContain(plugin)
    expect((await plain(['greet', 'there'], path)).stdout).toBe('hello there\n')
  })

  test.each(['bash', 'zsh', 'fish', 'powershell'])('completion for %s', async (shell) => {
    expect(await here().kubectl.ok(`completion ${shell}`)).toContain('__complete')
  })

  test('completion asks the cluster for names', async () => {
    const { kubectl, plain } = here()
    await kubectl.ok('create configmap completed')
    const { stdout } = await plain(['__complete', 'get', 'configmap', '--namespace=settings', 'comp'])
    expect(stdout).toContain('completed\n')
  })

  test('options and version', async () => {
    const { kubectl } = here()
    expect(await kubectl.ok('options')).toContain('--kubeconfig')
    const { clientVersion, serverVersion } = JSON.parse(await kubectl.ok('version -o json'))
    expect(serverVersion.gitVersion).toMatch(/^v1\.36\./)
    expect(clientVersion.minor).toBe(serverVersion.minor)
  })

  test('kustomize builds what apply and delete take', async () => {
    const { cluster, kubectl } = here()
    const folder = join(cluster.directory, 'kustomized')
    await mkdir(folder)
    const generator = { name: 'made', literals: ['a=1'], options: { disableNameSuffixHash: true } }
    await writeFile(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({ namePrefix: 'pre-', labels: [{ pairs: { set: 'k' } }], configMapGenerator: [generator] }),
    )
    expect(await kubectl.ok(`kustomize ${folder}`)).toContain('name: pre-made')
    expect(await kubectl.ok(`apply -k ${folder}`)).toBe('configmap/pre-made created\n')
    expect(await kubectl.ok('get configmap -l set=k -o name')).toBe('configmap/pre-made\n')
    expect(await kubectl.ok(`delete -k ${folder}`)).toContain('"pre-made" deleted')
  })

  describe('proxy', () => {
    test('brings the API to a local port, without what it is told to keep away', async () => {
      const { kubectl } = here()
      await using proxy = kubectl.start('proxy --port=0 --reject-paths=^/api/v1/secrets')
      await proxy.prints(/Starting to serve on 127\.0\.0\.1:\d+/)
      const base = /Starting to serve on (\S+)/.exec(proxy.stdout())?.[1]
      const found = await fetch(`http://${base}/api/v1/namespaces/settings`)
      expect(await found.json()).toMatchObject({ kind: 'Namespace', metadata: { name: 'settings' } })
      expect((await fetch(`http://${base}/api/v1/secrets`)).status).toBe(403)
    })
  })
})
