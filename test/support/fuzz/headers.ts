/** Headers by which a stranger would be somebody: other people's proxies, impersonation, tokens, upgrades. */

import type { Random } from '../../../src/base/random.ts'
import { chance, mutatedText, ODD_TEXTS, pick, times } from './draw.ts'

export type Header = readonly [name: string, value: string]

const NAMES: readonly [string, ...string[]] = [
  'X-Remote-User',
  'X-Remote-Uid',
  'X-Remote-Group',
  'X-Remote-Extra-Scopes',
  'X-Remote-Extra-Authentication.kubernetes.io%2Fcredential-Id',
  'Impersonate-User',
  'Impersonate-Uid',
  'Impersonate-Group',
  'Impersonate-Extra-Scopes',
  'X-Forwarded-For',
  'X-Forwarded-Client-Cert',
  'X-Forwarded-User',
  'X-Original-Url',
  'X-Rewrite-Url',
  'X-Http-Method-Override',
  'X-Real-Ip',
  'Forwarded',
  'Ssl-Client-Cert',
  'Proxy-Authorization',
  'Cookie',
  'Audit-Id',
  'Origin',
  'Host',
  'User-Agent',
  'Accept',
  'Content-Type',
  'Accept-Encoding',
  'Content-Encoding',
  'Transfer-Encoding',
  'Te',
  'Expect',
  'Range',
  'If-None-Match',
  'Traceparent',
  'Kubectl-Command',
  '__proto__',
  'constructor',
]

const VALUES: readonly [string, ...string[]] = [
  'system:admin',
  'system:apiserver',
  'system:kube-controller-manager',
  'system:node:node-0',
  'system:serviceaccount:kube-system:default',
  'system:masters',
  't8s:admins',
  'system:authenticated',
  'kubernetes-admin',
  '127.0.0.1',
  'https://kubernetes.default.svc',
  'GET',
  '/healthz',
  'application/json',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;stream=watch',
  'gzip, deflate, br, zstd',
  'chunked',
  '*/*',
  '100-continue',
]

/** Without line breaks, which no parser lets through. */
function headerText(text: string): string {
  return [...text].filter((character) => character >= ' ' && character <= 'ÿ' && character !== '\u007f').join('')
}

export function drawHeaders(random: Random): readonly Header[] {
  return times(random, 5, () => {
    const name = pick(random, NAMES)
    const value = chance(random, 0.2) ? pick(random, ODD_TEXTS) : pick(random, VALUES)
    return [
      chance(random, 0.2) ? name.toLowerCase() : name,
      headerText(chance(random, 0.1) ? mutatedText(random, value) : value),
    ]
  })
}

const UPGRADES: readonly [string, ...string[]] = [
  'websocket',
  'SPDY/3.1',
  'h2c',
  'tcp',
  'WebSocket, SPDY/3.1',
  'TLS/1.2',
]

const PROTOCOLS: readonly [string, ...string[]] = [
  'v4.channel.k8s.io',
  'v5.channel.k8s.io',
  'base64.channel.k8s.io',
  'SPDY/3.1+portforward.k8s.io',
  `base64url.bearer.authorization.k8s.io.${Buffer.from('system:masters').toString('base64url')}`,
  'base64url.bearer.authorization.k8s.io.',
  'base64url.bearer.authorization.k8s.io.%%%',
]

/** Of a connection that wants to become another one. `token` is a protocol of WebSocket clients that carry theirs so. */
export function drawUpgrade(random: Random, token: string): readonly Header[] {
  const carried = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
  const protocols = [pick(random, PROTOCOLS), ...(chance(random, 0.5) ? [carried] : [])]
  return [
    ['Connection', chance(random, 0.8) ? 'Upgrade' : 'keep-alive, upgrade'],
    ['Upgrade', pick(random, UPGRADES)],
    ['Sec-WebSocket-Version', pick(random, ['13', '8', '', 'x'])],
    ['Sec-WebSocket-Key', chance(random, 0.8) ? 'AAAAAAAAAAAAAAAAAAAAAA==' : headerText(pick(random, ODD_TEXTS))],
    ['Sec-WebSocket-Protocol', headerText(protocols.join(', '))],
    ['X-Stream-Protocol-Version', 'v4.channel.k8s.io'],
  ]
}
