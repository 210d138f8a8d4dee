/** The chart that everybody begins with: what `helm create` writes, with another image. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Stage } from './stage.ts'

export function begins({ namespace: name, cluster, helm, kubectl, gone }: Stage): void {
  test('runs as it is written', async () => {
    const chart = join(cluster().directory, name)
    await helm().ok(`create ${chart}`)
    expect(await helm().ok(`lint ${chart} --strict`)).toContain('1 chart(s) linted, 0 chart(s) failed')
    const [repository, tag] = cluster().images.v1.split(':')
    const values = `--set image.repository=${repository},image.tag=${tag},service.port=8080`
    const told = await helm().ok(`install ${name} ${chart} ${values} --create-namespace --wait --timeout 120s`)
    expect(told).toContain('kubectl --namespace')
    await helm().ok(
      `upgrade ${name} ${chart} ${values},autoscaling.enabled=true,ingress.enabled=true --wait --timeout 120s`,
    )
    const pods = `pods -l app.kubernetes.io/instance=${name}`
    const pod = await kubectl().field(pods, '{.items[0].metadata.name}')
    expect(await kubectl().ok(`exec ${pod} -- wget -qO- http://${name}:8080/`)).toMatch(/^v1 /)
    await helm().ok(`uninstall ${name} --wait --cascade foreground`)
    await gone(pods)
  })
}
