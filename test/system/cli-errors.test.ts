/** What the command line says and answers when something is wrong: the reason, the exit code, the next command. */

import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandLine, createCommandLine } from './command-line.ts'

let line: CommandLine

beforeAll(() => {
  line = createCommandLine()
})

afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

test.each([
  ['an unknown command', ['statis'], 2, 'Usage', 'Did you mean "status"?'],
  ['no command', [], 2, 'Usage', 't8s --help'],
  ['a number that is none', ['up', '--nodes=two'], 2, 'Usage', 'whole number'],
  ['a duration that is none', ['up', '--simulated', '--port=0', '--timeout=soon'], 2, 'Usage', '--timeout=soon'],
  ['an unknown cluster', ['stop', 'nope'], 2, 'NotFound', 't8s up nope'],
  ['a name that is none', ['up', 'No_Name', '--simulated', '--port=0'], 2, 'ConfigInvalid', 'No_Name'],
  [
    'ranges that overlap',
    ['up', '--simulated', '--pod-cidr=10.96.0.0/12', '--service-cidr=10.96.0.0/16'],
    2,
    'ConfigInvalid',
    'overlap',
  ],
  ['kubectl’s resources', ['get', 'pods'], 2, 'NotFound', 'kubectl get pods'],
  ['an unknown shell', ['completion', 'tcsh'], 2, 'Usage', 't8s completion bash'],
] as const)('%s', async (_, words, code, reason, hint) => {
  const outcome = await line.run(...words)
  expect(outcome).toMatchObject({ code, stdout: '' })
  expect(outcome.stderr).toContain(`reason: ${reason} · exit ${code}`)
  expect(outcome.stderr).toContain(hint)
  expect(outcome.stderr).not.toContain('    at ')
})

test('a port in use is told with its holder', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.on('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const outcome = await line.run('up', '--detach', '--simulated', `--port=${port}`)
  server.close()
  expect(outcome.code).toBe(3)
  expect(outcome.stderr).toContain(`(pid ${process.pid})`)
  expect(outcome.stderr).toContain('t8s up --port=0')
})

test('errors are one JSON line with --progress=json', async () => {
  const { stderr } = await line.run('stop', 'nope', '--progress=json')
  expect(JSON.parse(stderr)).toMatchObject({ type: 'error', reason: 'NotFound', exitCode: 2 })
})

test('a dry run prints the configuration and makes nothing', async () => {
  const outcome = await line.run('up', '--dry-run', '--simulated', '--port=0', '-o', 'json')
  expect(JSON.parse(outcome.stdout)).toMatchObject({ name: 't8s', runtime: 'simulated', domain: 'cluster.local' })
  expect((await line.run('status')).code).toBe(2)
})
