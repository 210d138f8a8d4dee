/** What kubectl shows, with every kubectl: output formats, describe, watch, wait, explain, discovery, tokens, events. */

import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { type Kubectl, kubectlBinaries } from './support/kubectl.ts'
import { onCluster } from './support/on-cluster.ts'

const POD = (image: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: shown
  labels: {app: shown}
  annotations: {note: a note}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: ${image}
      env:
        - {name: COLOUR, value: blue}
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /, port: http}
        periodSeconds: 1
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {cpu: 100m, memory: 64Mi}
`

onCluster({ name: 'outputs', range: 144 }, (cluster) => {
  const binaries = kubectlBinaries()

  beforeAll(async () => {
    await Promise.all(
      binaries.map(async (binary) => {
        const kubectl = cluster().kubectlOf(binary, namespaceOf(binary.version))
        await kubectl.ok(`create namespace ${kubectl.namespace}`)
        await eventually(() => kubectl.ok('get serviceaccount default'))
        await kubectl.ok('create configmap plain --from-literal=a=1')
        await kubectl.ok('create secret generic hidden --from-literal=password=abc')
        await kubectl.apply(POD(cluster().images.v1))
        await kubectl.ok('wait --for=condition=Ready pod/shown --timeout=60s')
      }),
    )
  })

  for (const binary of binaries) {
    describe.concurrent(`kubectl ${binary.version}`, () => {
      const kubectlHere = () => cluster().kubectlOf(binary, namespaceOf(binary.version))

      test('get shows tables and every other form', async () => {
        const kubectl = kubectlHere()
        const address = await kubectl.field('pod shown', '{.status.podIP}')
        const node = await kubectl.field('pod shown', '{.spec.nodeName}')
        expect(cluster().nodes).toContain(node)
        expect(await rowsOf(kubectl, 'get pods')).toEqual([
          ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
          ['shown', '1/1', 'Running', '0', expect.stringMatching(/^\d+[sm]/)],
        ])
        expect(await rowsOf(kubectl, 'get pods -o wide --no-headers')).toEqual([
          ['shown', '1/1', 'Running', '0', expect.any(String), address, node, '<none>', '<none>'],
        ])
        expect(await kubectl.ok('get pods -o name')).toBe('pod/shown\n')
        expect(await kubectl.ok('get pods shown --show-labels --no-headers')).toContain('app=shown')
        expect(await kubectl.ok('get pods -L app --no-headers')).toMatch(/ shown\n$/)
        expect(await kubectl.ok('get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image')).toBe(
          `NAME    IMAGE\nshown   ${cluster().images.v1}\n`,
        )
        expect(await kubectl.ok(['get', 'pods', '-o', 'go-template={{range .items}}{{.status.phase}}{{end}}'])).toBe(
          'Running',
        )
        const json = JSON.parse(await kubectl.ok('get pod shown -o json'))
        expect(json).toMatchObject({ apiVersion: 'v1', kind: 'Pod', status: { qosClass: 'Burstable' } })
        expect(json.metadata.managedFields).toBeUndefined()
        expect(await kubectl.ok('get pod shown -o yaml')).toMatch(
          /^apiVersion: v1\nkind: Pod\nmetadata:\n {2}annotations:/,
        )
        expect(await kubectl.ok('get pods -l app=shown,app!=other --field-selector=status.phase=Running -o name')).toBe(
          'pod/shown\n',
        )
        expect(await kubectl.ok('get pods --field-selector=status.phase=Failed -o name')).toBe('')
        expect(await kubectl.ok('get configmap,secret -o name')).toContain('configmap/plain\nsecret/hidden\n')
        expect(await rowsOf(kubectl, 'get secret hidden --no-headers')).toEqual([
          ['hidden', 'Opaque', '1', expect.any(String)],
        ])
        // Another test, which runs at the same time, has a map that comes and goes.
        const lasting = '--field-selector=metadata.name!=fleeting'
        expect(await kubectl.ok(`get configmaps ${lasting} --sort-by=.metadata.name -o name`)).toBe(
          'configmap/kube-root-ca.crt\nconfigmap/plain\n',
        )
        expect(await kubectl.ok('get pods --chunk-size=1 -A -o name')).toContain('pod/shown')
        expect(await kubectl.ok(`get --raw /api/v1/namespaces/${kubectl.namespace}/pods/shown`)).toContain(
          '"kind":"Pod"',
        )
        expect(await kubectl.ok('get nodes -o wide --no-headers')).toContain('Ready')
      })

      test('describe tells the story of pods, nodes and other objects', async () => {
        const kubectl = kubectlHere()
        const pod = await kubectl.ok('describe pod shown')
        for (const line of [
          /^Name: +shown$/m,
          /^Status: +Running$/m,
          /^Annotations: +note: a note$/m,
          /^ {4}Image: +t8s-test\/kubectl-outputs:v1$/m,
          /^ {4}Readiness: +http-get http:\/\/:http\/ delay=0s timeout=1s period=1s #success=1 #failure=3$/m,
          /^ {6}COLOUR: +blue$/m,
          /^ {2}Ready +True *$/m,
          /^QoS Class: +Burstable$/m,
        ])
          expect(pod).toMatch(line)
        await eventually(async () => {
          const events = (await kubectl.ok('describe pod shown')).split('Events:')[1] ?? ''
          for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(events).toContain(reason)
        })
        const node = await kubectl.ok(`describe node ${cluster().nodes[0]}`)
        for (const word of [
          'Capacity:',
          'Allocatable:',
          'Conditions:',
          'PodCIDR:',
          'Allocated resources:',
          'KubeletReady',
        ])
          expect(node).toContain(word)
        expect(await kubectl.ok('describe configmap plain')).toMatch(/^a:\n----\n1\n/m)
        const secret = await kubectl.ok('describe secret hidden')
        expect(secret).toMatch(/^password: +3 bytes$/m)
        expect(await kubectl.ok(`describe namespace ${kubectl.namespace}`)).toMatch(/^Status: +Active$/m)
        expect(await kubectl.ok('describe serviceaccount default')).toMatch(/^Name: +default$/m)
      })

      test('get -w and wait see things come, change and go', async () => {
        const kubectl = kubectlHere()
        await using watching = kubectl.start('get configmaps -w --no-headers --output-watch-events')
        await watching.prints(/ADDED +plain/)
        await kubectl.ok('create configmap fleeting')
        await watching.prints(/ADDED +fleeting +0/)
        await kubectl.ok(['patch', 'configmap', 'fleeting', '-p', '{"data":{"a":"1"}}'])
        await watching.prints(/MODIFIED +fleeting +1/)
        await using field = kubectl.start('wait --for=jsonpath={.data.a}=2 configmap/fleeting --timeout=60s')
        await kubectl.ok(['patch', 'configmap', 'fleeting', '-p', '{"data":{"a":"2"}}'])
        expect(await field.exit).toBe(0)
        expect(field.stdout()).toBe('configmap/fleeting condition met\n')
        await using gone = kubectl.start('wait --for=delete configmap/fleeting --timeout=60s')
        await kubectl.ok('delete configmap fleeting')
        await watching.prints(/DELETED +fleeting +1/)
        expect(await gone.exit).toBe(0)
        const late = await kubectl.fails('wait --for=condition=Nonsense pod/shown --timeout=1s')
        expect(late).toContain('timed out waiting for the condition on pods/shown')
        expect(await kubectl.fails('wait --for=condition=Ready pod/nobody --timeout=1s')).toContain(
          '"nobody" not found',
        )
      })

      test('explain knows every field, api-resources every kind', async () => {
        const kubectl = kubectlHere()
        const field = await kubectl.ok('explain pod.spec.containers.livenessProbe.httpGet.port')
        expect(field).toMatch(/^KIND: +Pod$/m)
        expect(field).toMatch(/IntOrString/)
        expect(await kubectl.ok('explain deployments')).toMatch(/^ {2}spec\s+<DeploymentSpec>/m)
        expect(await kubectl.ok('explain statefulset.spec --recursive')).toMatch(/volumeClaimTemplates/)
        expect(await kubectl.fails('explain pod.spec.nonsense')).toContain('field "nonsense" does not exist')
        const resources = await rowsOf(kubectl, 'api-resources --no-headers')
        expect(resources).toContainEqual(['pods', 'po', 'v1', 'true', 'Pod'])
        expect(resources).toContainEqual(['deployments', 'deploy', 'apps/v1', 'true', 'Deployment'])
        expect(resources).toContainEqual(['storageclasses', 'sc', 'storage.k8s.io/v1', 'false', 'StorageClass'])
        const verbs = await kubectl.ok('api-resources --verbs=list,watch --namespaced=false -o name')
        expect(verbs.split('\n')).toContain('nodes')
        expect((await kubectl.ok('api-versions')).split('\n')).toContain('apps/v1')
      })

      test('cluster-info, version, who I am and what I may', async () => {
        const kubectl = kubectlHere()
        expect(await kubectl.ok('cluster-info')).toMatch(
          /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/,
        )
        const { serverVersion } = JSON.parse(await kubectl.ok('version -o json'))
        expect(serverVersion).toMatchObject({ major: '1', minor: '36' })
        expect(await kubectl.ok('auth can-i create pods')).toBe('yes\n')
        const stranger = await kubectl.run('auth can-i create pods --as=stranger')
        expect(stranger).toMatchObject({ code: 1, stdout: 'no\n' })
        expect(await kubectl.fails('get secrets --as=stranger')).toContain(
          `secrets is forbidden: User "stranger" cannot list resource "secrets" in API group "" in the namespace`,
        )
        expect(await kubectl.ok('auth can-i --list')).toContain('*.*')
        if (Number(kubectl.version.split('.')[1]) >= 28)
          expect(await kubectl.ok('auth whoami')).toContain('system:authenticated')
      })

      test('create token makes a token that its account can use and nobody else', async () => {
        const kubectl = kubectlHere()
        await kubectl.ok('create serviceaccount robot')
        const token = (await kubectl.ok('create token robot --duration=1h')).trim()
        const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
        expect(payload.sub).toBe(`system:serviceaccount:${kubectl.namespace}:robot`)
        expect(payload.exp - payload.iat).toBe(3600)
        const robot = await cluster().kubectlWithToken(binary, kubectl.namespace, token)
        expect(await robot.fails('get secrets')).toContain(
          `User "system:serviceaccount:${kubectl.namespace}:robot" cannot list resource "secrets"`,
        )
        const nobody = await cluster().kubectlWithToken(binary, kubectl.namespace, `${token.slice(0, -4)}AAAA`)
        expect(await nobody.fails('get configmaps')).toContain('Unauthorized')
      })

      test('events lists what happened, to everything or to one', async () => {
        const kubectl = kubectlHere()
        await eventually(async () => {
          expect(await kubectl.ok('events --for pod/shown')).toMatch(/Normal +Started +Pod\/shown +/)
        })
        expect(await kubectl.ok('events --types=Warning')).not.toContain('Started')
        expect(await kubectl.ok('get events --field-selector=reason=Scheduled')).toContain('pod/shown')
      })
    })
  }
})

async function rowsOf(kubectl: Kubectl, words: string): Promise<readonly (readonly string[])[]> {
  const lines = (await kubectl.ok(words)).trimEnd().split('\n')
  return lines.map((line) => line.trim().split(/\s{2,}/))
}

function namespaceOf(version: string): string {
  return `outputs-${version.replace('.', '-').toLowerCase()}`
}
