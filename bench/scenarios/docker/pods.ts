/** Containers as pods of t8s with one node on Docker, as a client sees them: by a watch, a WebSocket, a log. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import type { KubeconfigEntry } from '../../../src/client/kubeconfig.ts'
import { openConnection } from '../../connection.ts'
import { t8s } from '../../sides/t8s.ts'
import { accountReady, nodesReady } from '../../world.ts'
import { COMMAND, IMAGE, type Runner } from './runner.ts'

const PODS = '/api/v1/namespaces/default/pods'
/** Pods are sent at the same time, each on a connection of its own, as many clients would. */
const SENDERS = 30

export async function clusterPods(): Promise<Runner> {
  await using stack = new AsyncDisposableStack()
  const { access } = stack.use(await t8s.start({ nodes: 1, docker: true }))
  const { credentials } = access
  using connection = await openConnection(credentials)
  await nodesReady(connection, 1)
  await accountReady(connection)
  const agent = stack.adopt(agentOf(credentials), (each) => each.destroy())
  const call = (method: string, path: string, body?: string) =>
    answerTo({ agent, server: access.server, method, path, body })
  const pods = stack.use(await watchPods(call))
  const owned = stack.move()
  return {
    async run(names) {
      await Promise.all(names.map((name) => call('POST', PODS, podOf(name)).then(read)))
      await pods.until(() => names.every((name) => pods.phases.get(name) === 'Running'))
    },
    async remove(names) {
      await Promise.all(names.map((name) => call('DELETE', `${PODS}/${name}`).then(read)))
      await pods.until(() => !names.some((name) => pods.phases.has(name)))
    },
    exec: (name) => execIn(access.server, credentials, name),
    async logs(name) {
      const answer = await call('GET', `${PODS}/${name}/log?follow=true`)
      await once(answer, 'data')
      answer.destroy()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function podOf(name: string): string {
  const container = { name: 'main', image: IMAGE, imagePullPolicy: 'Never', command: COMMAND }
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [container] } })
}

function agentOf({ certificateAuthority, clientCertificate, clientKey }: KubeconfigEntry): Agent {
  const keys = { ca: certificateAuthority, cert: clientCertificate, key: clientKey }
  return new Agent({ ...keys, keepAlive: true, maxSockets: SENDERS + 2 })
}

interface Call {
  readonly agent: Agent
  readonly server: string
  readonly method: string
  readonly path: string
  readonly body: string | undefined
}

/** Throws unless the answer is a success. */
async function answerTo({ agent, server, method, path, body }: Call): Promise<IncomingMessage> {
  const sent = request(`${server}${path}`, { agent, method, headers: { 'content-type': 'application/json' } })
  sent.end(body)
  const [answer]: readonly IncomingMessage[] = await once(sent, 'response')
  if (answer === undefined || (answer.statusCode ?? 0) >= 300)
    throw new Error(`${method} ${path}: ${answer?.statusCode}`)
  return answer
}

async function read(answer: IncomingMessage): Promise<void> {
  answer.resume()
  await once(answer, 'end')
}

interface PodWatch extends Disposable {
  readonly phases: ReadonlyMap<string, string>
  /** Resolves when it is so after one of the events. */
  until(isDone: () => boolean): Promise<void>
}

interface PodEvent {
  readonly type: string
  readonly object: { readonly metadata: { readonly name: string }; readonly status?: { readonly phase?: string } }
}

async function watchPods(call: (method: string, path: string) => Promise<IncomingMessage>): Promise<PodWatch> {
  const answer = await call('GET', `${PODS}?watch=true`)
  const phases = new Map<string, string>()
  let waiting = () => {}
  createInterface({ input: answer }).on('line', (line) => {
    // What a server says that was just started for it.
    const { type, object }: PodEvent = JSON.parse(line)
    if (type === 'DELETED') phases.delete(object.metadata.name)
    else phases.set(object.metadata.name, object.status?.phase ?? '')
    waiting()
  })
  return {
    phases,
    until: (isDone) =>
      new Promise((resolve) => {
        waiting = () => {
          if (isDone()) resolve()
        }
        waiting()
      }),
    [Symbol.dispose]: () => answer.destroy(),
  }
}

/** The channel of the standard output, the first byte of a message of `v5.channel.k8s.io`. */
const OUTPUT = 1

async function execIn(server: string, credentials: KubeconfigEntry, name: string): Promise<void> {
  const url = `${server.replace('https', 'wss')}${PODS}/${name}/exec?command=echo&command=here&stdout=true`
  const { certificateAuthority: ca, clientCertificate: cert, clientKey: key } = credentials
  const socket = new WebSocket(url, 'v5.channel.k8s.io', { ca, cert, key })
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => data[0] === OUTPUT && data.length > 1 && resolve())
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the command has said nothing')))
  })
  socket.terminate()
}
