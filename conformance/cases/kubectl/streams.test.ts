/** What flows between a terminal and a container, with every kubectl: logs, exec, attach, cp, port-forward, debug, run. */

import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { type Kubectl, kubectlBinaries } from './support/kubectl.ts'
import { onCluster } from './support/on-cluster.ts'

/** `web` serves, `echo` answers what it is told, `second` fails in its first life and stays in its second. */
const POD = (image: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: streams
spec:
  terminationGracePeriodSeconds: 1
  volumes:
    - name: state
      emptyDir: {}
  containers:
    - name: web
      image: ${image}
      ports:
        - containerPort: 8080
    - name: echo
      image: ${image}
      stdin: true
      command: [sh, -c, 'while read -r line; do echo "heard $line"; done; exec sleep 3600']
    - name: second
      image: ${image}
      command: [sh, -c, 'lives=$(ls /state | wc -l); touch /state/$lives; echo "life $lives"; test $lives -gt 0 || exit 3; exec sleep 3600']
      volumeMounts:
        - name: state
          mountPath: /state
`

onCluster({ name: 'streams', range: 140 }, (cluster) => {
  const binaries = kubectlBinaries()

  beforeAll(async () => {
    await Promise.all(
      binaries.map(async (binary) => {
        const kubectl = cluster().kubectlOf(binary, namespaceOf(binary.version))
        await kubectl.ok(`create namespace ${kubectl.namespace}`)
        await eventually(() => kubectl.ok('get serviceaccount default'))
        await kubectl.apply(POD(cluster().images.v1))
        await kubectl.ok('wait --for=condition=Ready pod/streams --timeout=60s')
        await eventually(async () => {
          const [restarts] = await restartsOf(kubectl, 'second')
          expect(restarts).toBe(1)
        })
      }),
    )
  })

  for (const binary of binaries) {
    describe.concurrent(`kubectl ${binary.version}`, () => {
      const kubectlHere = () => cluster().kubectlOf(binary, namespaceOf(binary.version))

      test('logs shows, follows, counts from the end, and reaches back to the life before', async () => {
        const kubectl = kubectlHere()
        expect(await kubectl.ok('logs streams -c web')).toBe('serving on 8080\n')
        await using following = kubectl.start('logs streams -c web --follow --tail=1')
        await following.prints('serving on 8080\n')
        await kubectl.ok(['exec', 'streams', '-c', 'web', '--', 'sh', '-c', 'echo said while following > /proc/1/fd/1'])
        await following.prints('serving on 8080\nsaid while following\n')
        expect(await kubectl.ok('logs streams -c web --tail=1')).toBe('said while following\n')
        expect(await kubectl.ok('logs streams -c web --timestamps --tail=1')).toMatch(
          /^\d{4}-\d\d-\d\dT\S+Z said while/,
        )
        expect(await kubectl.ok('logs streams --previous -c second')).toBe('life 0\n')
        expect(await kubectl.ok('logs streams -c second')).toBe('life 1\n')
        const all = await kubectl.ok('logs streams --all-containers --prefix')
        expect(all).toContain('[pod/streams/web] serving on 8080')
        expect(all).toContain('[pod/streams/second] life 1')
        expect(await kubectl.fails('logs streams --previous -c web')).toContain(
          'previous terminated container "web" in pod "streams" not found',
        )
        expect(await kubectl.fails('logs streams -c nobody')).toContain('container nobody is not valid for pod streams')
      })

      test('exec keeps output, errors, input and exit codes apart', async () => {
        const kubectl = kubectlHere()
        const both = await kubectl.run([
          'exec',
          'streams',
          '-c',
          'web',
          '--',
          'sh',
          '-c',
          'echo out; echo err >&2; exit 42',
        ])
        expect(both).toEqual({
          code: 42,
          stdout: 'out\n',
          stderr: expect.stringMatching(/^err\ncommand terminated with exit code 42\n$/),
        })
        const input = 'line\n'.repeat(50_000)
        const counted = await kubectl.ok('exec -i streams -c web -- wc -l', { input })
        expect(counted.trim()).toBe('50000')
        expect(await kubectl.ok('exec -i streams -c web -- cat', { input })).toBe(input)
        const missing = await kubectl.run('exec streams -c web -- no-such-program')
        expect(missing.code).toBeGreaterThan(0)
        expect(missing.stdout + missing.stderr).toContain('executable file not found in $PATH')
        expect(await kubectl.fails('exec streams -c nobody -- true')).toContain('container nobody')
        expect(await kubectl.fails('exec nobody -- true')).toContain('pods "nobody" not found')
        const defaulted = await kubectl.run('exec streams -- true')
        expect(defaulted).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('Defaulted container "web" out of'),
        })
      })

      test('exec -it is a terminal that follows its size', async () => {
        const kubectl = kubectlHere()
        await using terminal = await kubectl.terminal('exec -it streams -c web -- sh')
        await terminal.prints('# ')
        terminal.write('tty; stty size\n')
        await terminal.prints(/\/dev\/pts\/\d+\r\n24 80\r\n/)
        await terminal.resize(132, 50)
        await eventually(async () => {
          const seen = terminal.stdout().length
          terminal.write('stty size\n')
          await eventually(() => expect(terminal.stdout().slice(seen)).toMatch(/\d+ \d+\r\n/), 5_000)
          expect(terminal.stdout().slice(seen)).toContain('50 132\r\n')
        })
        // The shell's own line editor is out of the way once the command prints.
        terminal.write('sh -c "echo begun; sleep 1000"\n')
        await terminal.prints('\nbegun\r\n')
        terminal.write('\u0003')
        terminal.write('echo interrupted $?\n')
        await terminal.prints('interrupted 130\r\n')
        terminal.write('exit 7\n')
        expect(await terminal.exit).toBe(7)
      })

      test('attach joins what runs: its output and its input', async () => {
        const kubectl = kubectlHere()
        await using attached = kubectl.start('attach -i streams -c echo')
        attached.write('first\nsecond\n')
        await attached.prints('heard first\nheard second\n')
        await using other = kubectl.start('attach streams -c echo')
        await eventually(async () => {
          attached.write('again\n')
          expect(other.stdout()).toContain('heard again\n')
        })
      })

      test('attach -it is the terminal of a process that has one', async () => {
        const kubectl = kubectlHere()
        const words = `run shell -it --restart=Never --image=${cluster().images.v1} -- sh`
        await using terminal = await kubectl.terminal(words)
        await terminal.prints('# ')
        await terminal.resize(101, 37)
        await eventually(async () => {
          terminal.write('stty size\n')
          await eventually(() => expect(terminal.stdout()).toContain('37 101\r\n'), 1_000)
        })
        await using second = await kubectl.terminal('attach -it shell')
        second.write('echo from the second\n')
        await terminal.prints('\nfrom the second\r\n')
        await using following = kubectl.start('logs --follow shell')
        await following.prints('from the second')
        terminal.write('exit 3\n')
        expect(await terminal.exit).toBe(3)
        expect(await following.exit).toBe(0)
        expect(await kubectl.ok('get pod shell --no-headers')).toMatch(/^shell +0\/1 +Error +0 /)
      })

      test('cp brings files and folders into a container and back', async () => {
        const kubectl = kubectlHere()
        const local = await mkdtemp(join(cluster().directory, 'cp-'))
        await mkdir(join(local, 'folder/deep'), { recursive: true })
        const content = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7919) % 256))
        await writeFile(join(local, 'folder/data'), content)
        await writeFile(join(local, 'folder/deep/note'), 'a note\n')
        await kubectl.ok(`cp -c web ${local}/folder streams:/tmp/copied`)
        expect(await kubectl.ok('exec streams -c web -- cat /tmp/copied/deep/note')).toBe('a note\n')
        await kubectl.ok(`cp -c web streams:/tmp/copied ${local}/back`)
        expect((await readFile(join(local, 'back/data'))).equals(content)).toBe(true)
        expect(await readFile(join(local, 'back/deep/note'), 'utf8')).toBe('a note\n')
      })

      test('port-forward brings a local port to the container, again and again', async () => {
        const kubectl = kubectlHere()
        await using forward = kubectl.start('port-forward pod/streams :8080')
        await forward.prints(/Forwarding from 127\.0\.0\.1:(\d+) -> 8080/)
        const port = /127\.0\.0\.1:(\d+)/.exec(forward.stdout())?.[1]
        const answers = await Promise.all(Array.from({ length: 8 }, () => get(`http://127.0.0.1:${port}/`)))
        expect(answers.map((answer) => answer.slice(0, 2))).toEqual(Array(8).fill('v1'))
        await using closed = kubectl.start('port-forward pod/streams :9')
        await closed.prints(/Forwarding from 127\.0\.0\.1:(\d+) -> 9/)
        const closedPort = /127\.0\.0\.1:(\d+)/.exec(closed.stdout())?.[1]
        await expect(get(`http://127.0.0.1:${closedPort}/`)).rejects.toThrow()
        await eventually(() => expect(closed.stderr()).toMatch(/connection refused|lost connection|error forwarding/i))
      })

      test('debug puts an ephemeral container beside the ones that run', async () => {
        const kubectl = kubectlHere()
        const image = cluster().images.v2
        const words = `debug streams -it --image=${image} --target=web -c looker -- sh`
        await using terminal = await kubectl.terminal(words)
        await terminal.prints('# ')
        terminal.write('ps; wget -qO- http://127.0.0.1:8080/\n')
        await terminal.prints('httpd -f -p 8080')
        await terminal.prints('v1 pod=')
        terminal.write('exit\n')
        await terminal.exit
        expect(await kubectl.field('pod streams', '{.spec.ephemeralContainers[*].name}')).toBe('looker')
        await eventually(async () => {
          const state = await kubectl.field('pod streams', '{.status.ephemeralContainerStatuses[0].state}')
          expect(JSON.parse(state)).toMatchObject({ terminated: { exitCode: 0 } })
        })
        expect(await kubectl.ok('logs streams -c looker')).toContain('v1 pod=')
      })

      test('run -it --rm works like a command and goes', async () => {
        const kubectl = kubectlHere()
        const words = ['run', 'once', '-i', '--rm', '--restart=Never', `--image=${cluster().images.v1}`, '--']
        const { code, stdout } = await kubectl.run([...words, 'sh', '-c', 'read word; echo "word: $word"; exit 5'], {
          input: 'hello\n',
        })
        expect(stdout).toContain('word: hello\n')
        expect(code).toBe(5)
        expect(await kubectl.ok('get pods --ignore-not-found once')).toBe('')
      })
    })
  }
})

function namespaceOf(version: string): string {
  return `streams-${version.replace('.', '-').toLowerCase()}`
}

async function restartsOf(kubectl: Kubectl, container: string): Promise<readonly number[]> {
  const path = `{.status.containerStatuses[?(@.name=="${container}")].restartCount}`
  return (await kubectl.field('pod streams', path)).split(' ').map(Number)
}

/** One request on a connection of its own. */
async function get(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { connection: 'close' } })
  return answer.text()
}
