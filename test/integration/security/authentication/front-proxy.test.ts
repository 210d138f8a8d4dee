/** Headers that say who asks: believed from the front proxy on its own connection, and from nobody else. */

import { once } from 'node:events'
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { Agent, request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { systemRandom } from '../../../../src/base/random.ts'
import {
  type CertificateAuthority,
  createCertificateAuthority,
  crossSigned,
  type KeyPair,
} from '../../../../src/server/auth/certificate-authority.ts'
import { loadOrCreateAuthority } from '../../../../src/server/auth/certificate-files.ts'
import { type Callers, type Identity, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
const parts = { clock: systemClock, random: systemRandom }
let callers: Callers
let proxy: KeyPair
let authority: CertificateAuthority

beforeAll(async () => {
  callers = stack.use(await openCallers({}, () => ({})))
  const { controlPlane, config } = callers.opened
  proxy = await controlPlane.frontProxy()
  authority = await loadOrCreateAuthority(join(config.directory, 'pki'), 'front-proxy-ca', parts)
})
afterAll(() => stack.disposeAsync())

type Headers = Readonly<Record<string, string | readonly string[]>>

/** With headers that may be there more than once, in the letters that they are written in. */
function whoIs(as: KeyPair | undefined, headers: Headers, trailers?: Readonly<Record<string, string>>) {
  const { controlPlane } = callers.opened
  const body = JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' })
  const length = trailers ? { trailer: Object.keys(trailers) } : { 'content-length': String(body.length) }
  const usual = { host: 'localhost', 'content-type': 'application/json', ...length }
  return new Promise<Identity | number>((resolve, reject) => {
    const sent = requestHttps(
      {
        host: '127.0.0.1',
        port: controlPlane.port,
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        ca: controlPlane.authority.certificate,
        agent: false,
        headers: listOf({ ...usual, ...headers }),
        ...(as && { cert: as.certificate, key: as.key }),
      },
      async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        const { status } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
        resolve(response.statusCode === 201 ? status.userInfo : (response.statusCode ?? 0))
      },
    )
    sent.on('error', reject)
    if (trailers) sent.addTrailers(trailers)
    sent.end(body)
  })
}

/** Names and values in turn, so that a name may be there twice. */
function listOf(headers: Headers): readonly string[] {
  return Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]))
}

const JANE = { 'X-Remote-User': 'jane' }

describe('the front proxy', () => {
  test('says who asks', async () => {
    const headers = {
      'X-Remote-User': 'jane, the first',
      'X-Remote-Uid': 'u1',
      'X-Remote-Group': ['dev', 'ops, and more', ''],
      'X-Remote-Extra-Scopes': ['read', 'write'],
      'X-Remote-Extra-Example.com%2fTenant': 't',
    }
    expect(await whoIs(proxy, headers)).toEqual({
      username: 'jane, the first',
      uid: 'u1',
      groups: ['dev', 'ops, and more', 'system:authenticated'],
      extra: { scopes: ['read', 'write'], 'example.com/tenant': ['t'] },
    })
  })

  test('may write in any letters', async () => {
    expect(await whoIs(proxy, { 'x-REMOTE-uSeR': 'jane', 'X-rEmOtE-gRoUp': 'g' })).toMatchObject({
      username: 'jane',
      groups: ['g', 'system:authenticated'],
    })
  })

  for (const [behaviour, headers] of [
    ['that says nothing is nobody', {}],
    ['that says an empty name is nobody', { 'X-Remote-User': '' }],
    ['that names groups only is nobody', { 'X-Remote-Group': 'system:masters' }],
    ['that names two users is not believed', { 'X-Remote-User': ['jane', 'root'] }],
    ['that names two users in other letters is not believed', { 'X-Remote-User': 'jane', 'x-remote-user': 'root' }],
    ['that names two uids is not believed', { ...JANE, 'X-Remote-Uid': ['1', '2'] }],
  ] as const)
    test(behaviour, async () => expect(await whoIs(proxy, headers)).toBe(401))

  test('does not say it after the body', async () => {
    expect(await whoIs(proxy, { 'transfer-encoding': 'chunked' }, { 'X-Remote-User': 'jane' })).toBe(401)
  })
})

/** The same over HTTP/2. */
async function whoIsOver2(as: KeyPair, headers: OutgoingHttpHeaders): Promise<Identity | number> {
  const { port, authority: ca } = callers.opened.controlPlane
  const tls = { ca: ca.certificate, cert: as.certificate, key: as.key }
  const session = connect(`https://127.0.0.1:${port}`, tls)
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json', ...headers })
    stream.end(JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }))
    const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders]
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const status = Number(answered[':status'])
    if (status !== 201) return status
    return JSON.parse(Buffer.concat(chunks).toString('utf8')).status.userInfo
  } finally {
    session.destroy()
  }
}

test('the same over HTTP/2', async () => {
  const headers = { 'x-remote-user': 'jane', 'x-remote-group': ['a', 'b'] }
  expect(await whoIsOver2(proxy, headers)).toMatchObject({
    username: 'jane',
    groups: ['a', 'b', 'system:authenticated'],
  })
  expect(await whoIsOver2(proxy, { 'x-remote-user': ['jane', 'root'] })).toBe(401)
  expect(await whoIsOver2(await callers.opened.user('joe'), headers)).toMatchObject({ username: 'joe' })
})

describe('nobody else is believed:', () => {
  test('no certificate', async () => expect(await whoIs(undefined, JANE)).toBe(401))

  test('a user of the cluster is who the certificate says', async () => {
    const user = await callers.opened.user('joe', 'dev')
    const identity = await whoIs(user, { ...JANE, 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-A': 'b' })
    expect(identity).toMatchObject({ username: 'joe', groups: ['dev', 'system:authenticated'] })
    expect(Object.keys((identity as Identity).extra ?? {})).toEqual(['authentication.kubernetes.io/credential-id'])
  })

  test('a user of the cluster with the name of the front proxy', async () => {
    expect(await whoIs(await callers.opened.user('front-proxy-client'), JANE)).toMatchObject({
      username: 'front-proxy-client',
    })
  })

  test('another name under the authority of the front proxy, which makes no users either', async () => {
    const other = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
    expect(await whoIs(other, JANE)).toBe(401)
    expect(await whoIs(other, {})).toBe(401)
    expect(callers.logged()).toContain('x509: subject with cn=admin is not in the allowed list')
  })

  test('an authority that calls itself the same', async () => {
    const forged = await createCertificateAuthority('front-proxy-ca', parts)
    expect(await whoIs(await forged.issueClient({ commonName: 'front-proxy-client' }), JANE)).toBe(401)
  })

  test('a bearer of a token is who the token says', async () => {
    const token = (await callers.opened.controlPlane.tokenKeys.published()).keys[0]?.kid ?? ''
    expect(await whoIs(undefined, { ...JANE, authorization: `Bearer ${token}` })).toBe(401)
  })
})

/** A client certificate of an authority that is under another one, with that between them. */
async function issuedBelow(above: CertificateAuthority, commonName: string): Promise<KeyPair> {
  const between = await createCertificateAuthority('between', parts)
  const { certificate, key } = await between.issueClient({ commonName })
  return { certificate: `${certificate}\n${await crossSigned(between.certificate, above, parts)}`, key }
}

describe('an authority between', () => {
  test('the front proxy’s and a certificate makes a front proxy and no user', async () => {
    const between = await issuedBelow(authority, 'front-proxy-client')
    expect(await whoIs(between, JANE)).toMatchObject({ username: 'jane' })
    expect(await whoIs(between, {})).toBe(401)
  })

  test('the cluster’s and a certificate makes a user and no front proxy', async () => {
    const between = await issuedBelow(callers.opened.controlPlane.authority, 'front-proxy-client')
    expect(await whoIs(between, JANE)).toMatchObject({ username: 'front-proxy-client' })
  })
})

test('a connection that goes on where another ended is the same peer’s', async () => {
  const { controlPlane } = callers.opened
  const user = await callers.opened.user('joe')
  const agent = new Agent({ ca: controlPlane.authority.certificate, cert: user.certificate, key: user.key })
  const ask = () =>
    new Promise<{ readonly status: number | undefined; readonly reused: boolean }>((resolve, reject) => {
      const sent = requestHttps({ host: '127.0.0.1', port: controlPlane.port, path: '/api', agent }, (response) => {
        const { socket } = response
        response.resume().on('end', () => {
          resolve({ status: response.statusCode, reused: socket instanceof TLSSocket && socket.isSessionReused() })
        })
      })
      sent.on('error', reject).end()
    })
  expect(await ask()).toEqual({ status: 200, reused: false })
  expect(await ask()).toEqual({ status: 200, reused: true })
})
