/**
 * A cluster of a test file's own: started with the project's command in a temporary home, on real containers, removed
 * with `down`. Name and address ranges differ from file to file and from the defaults, so it disturbs no other cluster.
 */

import { hash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DockerEngine, openDockerEngine } from '../../../../src/node/runtime/docker-engine.ts'
import { type CommandResult, runCommand } from './command.ts'
import { makeImage, makeProgramImage, reasonForNoImages } from './images.ts'
import { createKubectl, type Kubectl, type KubectlBinary, kubectlBinaries } from './kubectl.ts'
import { leftovers } from './leftovers.ts'

/** Another build than this tree's: T8S_COMMAND. */
const T8S = process.env.T8S_COMMAND ?? resolve(import.meta.dirname, '../../../../dist/t8s.js')

export interface ClusterPlan {
  /** Whose cases they are: the other part of the name. By default kubectl's. */
  readonly client?: string
  /** Becomes part of the cluster's name: short, of its own. */
  readonly name: string
  /** The second byte of the pods' range; the services' is one more. */
  readonly range: number
  /** Static programs of this machine by name: each gets an image in which it is all there is. */
  readonly programs?: Readonly<Record<string, string>>
}

export interface TestCluster {
  readonly name: string
  /** For files of the cases; removed with the cluster. */
  readonly directory: string
  /** HOME of everything that is run. */
  readonly home: string
  readonly kubeconfig: string
  readonly engine: DockerEngine
  readonly nodes: readonly [string, string]
  /** Images with the same server, which answers `v1` or `v2`. */
  readonly images: { readonly v1: string; readonly v2: string }
  /** Of one of the plan's programs. */
  imageOf(program: string): string
  /** The newest kubectl, in the namespace. */
  kubectl(namespace: string): Kubectl
  kubectlOf(binary: KubectlBinary, namespace: string): Kubectl
  /** With a bearer token for all credentials. */
  kubectlWithToken(binary: KubectlBinary, namespace: string, token: string): Promise<Kubectl>
  /** Standard output of the project's own command, which must succeed. This cluster is the one it means. */
  t8s(...parameters: readonly string[]): Promise<string>
  /** Starts the process of a cluster that has none. */
  start(): Promise<void>
  /** The cluster's process. */
  processId(): Promise<number>
  down(): Promise<void>
  /** What of the cluster is still on this machine, in words. */
  leftovers(): Promise<readonly string[]>
}

/** Why these cases cannot run here; undefined: they can. */
export async function reasonToSkip(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root'
  if (kubectlBinaries().length === 0) return 'no kubectl on PATH'
  try {
    await openDockerEngine({ capabilities: [] })
  } catch (error) {
    return `no Docker Engine: ${String(error)}`
  }
  return reasonForNoImages()
}

/** Where a cluster and what is asked of it live on this machine. */
type Place = Pick<TestCluster, 'name' | 'directory' | 'home' | 'kubeconfig'>

export async function startCluster(plan: ClusterPlan): Promise<TestCluster> {
  const { client = 'kubectl', name: title, range, programs = {} } = plan
  const name = `${client}-${title}`
  const directory = await mkdtemp(join(tmpdir(), `t8s-${name}-`))
  const place = { name, directory, home: join(directory, 'home'), kubeconfig: join(directory, 'kubeconfig') }
  await mkdir(place.home)
  const engine = await openDockerEngine({ capabilities: [] })
  const imageOf = (tag: string) => `t8s-test/${name}:${tag}`
  const images = { v1: imageOf('v1'), v2: imageOf('v2') }
  await Promise.all([
    ...Object.entries(images).map(([word, reference]) => makeImage(engine, reference, word)),
    ...Object.entries(programs).map(([tag, path]) => makeProgramImage(engine, imageOf(tag), path)),
  ])
  const ranges = [`--pod-cidr=10.${range}.0.0/16`, `--service-cidr=10.${range + 1}.0.0/16`]
  const up = ['up', name, '--detach', '--runtime=docker', '--nodes=2', '--port=0', ...ranges]
  const cluster: TestCluster = {
    ...place,
    ...kubectlsOf(place),
    engine,
    images,
    imageOf,
    nodes: [`t8s-${name}-node-0`, `t8s-${name}-node-1`],
    t8s: async (...parameters) => (await t8s(place, parameters)).stdout,
    start: async () => void (await t8s(place, up)),
    async processId() {
      const state = JSON.parse(await readFile(join(directory, 't8s', name, 'cluster.json'), 'utf8'))
      return state.run.pid
    },
    async down() {
      const { stderr } = await t8s(place, ['down', name])
      if (stderr.includes('did not end by itself')) throw new Error(`t8s down: ${stderr}`)
      const made = [...Object.values(images), ...Object.keys(programs).map(imageOf)]
      for (const image of made) await engine.docker.getImage(image).remove({ force: true })
      await rm(directory, { recursive: true, force: true })
    },
    leftovers: () => leftovers([name, directory, `10.${range}.`, `10.${range + 1}.`]),
  }
  try {
    await cluster.start()
    return cluster
  } catch (error) {
    await cluster.down()
    throw error
  }
}

/** Runs the project's own command, which must succeed. */
async function t8s({ name, directory, home, kubeconfig }: Place, words: readonly string[]): Promise<CommandResult> {
  const places = { T8S_HOME: join(directory, 't8s'), T8S_CLUSTER: name, HOME: home, KUBECONFIG: kubeconfig }
  const result = await runCommand(process.execPath, [T8S, ...words], { env: { ...process.env, ...places } })
  if (result.code === 0) return result
  throw new Error(`t8s ${words.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`)
}

function kubectlsOf({ directory, home, kubeconfig }: Place) {
  const newest = kubectlBinaries().at(-1) ?? { version: '', path: '' }
  const kubectlOf = (binary: KubectlBinary, namespace: string) => createKubectl({ binary, namespace, home, kubeconfig })
  return {
    kubectlOf,
    kubectl: (namespace: string) => kubectlOf(newest, namespace),
    async kubectlWithToken(binary: KubectlBinary, namespace: string, token: string) {
      const file = join(directory, `kubeconfig-${hash('sha256', token)}`)
      const view = await kubectlOf(binary, namespace).ok('config view --raw --minify -o json')
      const config = JSON.parse(view)
      config.users[0].user = { token }
      await writeFile(file, JSON.stringify(config))
      return createKubectl({ binary, namespace, home, kubeconfig: file })
    },
  }
}
