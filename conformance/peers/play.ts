/** Plays cases against both servers, step by step, and says where the answers differ. */

import { answerDifferences, parsedBody } from './answer.ts'
import type { Case, Step, Theme } from './case.ts'
import type { Answer, Peer, PeerRequest } from './peer.ts'
import { type Difference, valueAt } from './values.ts'

export interface Peers {
  readonly upstream: Peer
  readonly t8s: Peer
}

export interface Played {
  readonly group: string
  readonly name: string
  readonly differences: readonly Difference[]
}

type Variables = Map<string, string>

/** Themes at the same time: two watches wait a second each. */
const AT_ONCE = 4

export async function playThemes(peers: Peers, themes: readonly Theme[]): Promise<readonly Played[]> {
  return (await inParallel(themes, AT_ONCE, (theme) => playTheme(peers, theme))).flat()
}

/** Cases of one theme run one after the other: their namespaces are theirs, but cluster-wide objects are not. */
async function playTheme(peers: Peers, { theme, cases }: Theme): Promise<readonly Played[]> {
  const played: Played[] = []
  for (const [index, entry] of cases.entries()) {
    const namespace = `${theme.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${index}`
    if (JSON.stringify(entry).includes('{ns}')) await makeNamespace(peers, namespace)
    played.push(...(await playCase(peers, theme, entry, namespace)))
  }
  return played
}

export async function makeNamespace({ upstream, t8s }: Peers, name: string): Promise<void> {
  const objects: readonly (readonly [string, object])[] = [
    ['/api/v1/namespaces', { metadata: { name } }],
    [`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } }],
  ]
  for (const [url, object] of objects)
    for (const peer of [upstream, t8s]) {
      const { status, body } = await peer.send(requestOf({ send: `POST ${url}`, body: object }, new Map()))
      if (status !== 201) throw new Error(`${peer.name} does not make ${url} ${name}: ${body.toString()}`)
    }
}

async function playCase(peers: Peers, theme: string, entry: Case, namespace: string): Promise<readonly Played[]> {
  const played: Played[] = []
  const variables = { upstream: new Map([['ns', namespace]]), t8s: new Map([['ns', namespace]]) }
  for (const [index, step] of entry.steps.entries()) {
    const [upstream, t8s] = await Promise.all([
      sendStep(peers.upstream, step, variables.upstream),
      sendStep(peers.t8s, step, variables.t8s),
    ])
    played.push({
      group: 'requests',
      name: `${theme}: ${entry.name} ${index + 1}`,
      differences: answerDifferences(upstream, t8s, step.compare),
    })
  }
  return played
}

async function sendStep(peer: Peer, step: Step, variables: Variables): Promise<Answer> {
  const answer = await peer.send(requestOf(step, variables))
  for (const [name, path] of Object.entries(step.save ?? {}))
    variables.set(name, String(valueAt(parsedBody(answer), path)))
  return answer
}

export function requestOf(step: Step, variables: Variables): PeerRequest {
  const fill = (text: string) =>
    text.replaceAll(/\{([a-z][a-zA-Z]*)\}/g, (whole, name) => variables.get(String(name)) ?? whole)
  const space = step.send.indexOf(' ')
  const headers = Object.entries(step.headers ?? {}).map(([name, value]) => [name, fill(value)])
  return {
    method: step.send.slice(0, space),
    url: fill(step.send.slice(space + 1)),
    headers: {
      'user-agent': 'peers',
      ...(step.body !== undefined && { 'content-type': 'application/json' }),
      ...Object.fromEntries(headers),
    },
    body: step.body === undefined ? undefined : Buffer.from(fill(textOf(step.body))),
    anonymous: step.anonymous ?? false,
  }
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Runs everything, so many at the same time; the results stand where their items stood. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await run(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
