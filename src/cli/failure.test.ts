import { createColors } from 'picocolors'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../cluster/config-error.ts'
import { notFound } from '../machinery/meta/api-error.ts'
import { Failure, failureOf } from './failure.ts'
import { failureLines } from './output/terminal.ts'

const named = (name: string, message: string) => Object.assign(new Error(message), { name })
const coded = (code: string) => Object.assign(new Error('no'), { code })

test.each([
  ['a wrong configuration', new ConfigError('port: 70000 is not a port'), 'ConfigInvalid', 2],
  ['a store that another process has', named('StorageInUse', 'x is in use'), 'AlreadyRunning', 3],
  ['no Docker', named('DockerUnavailable', 'Docker does not answer'), 'DockerUnavailable', 4],
  ['an answer of the cluster', notFound({ group: '', resource: 'pods' }, 'web'), 'ApiError', 6],
  ['a full disk', coded('ENOSPC'), 'DiskFull', 4],
  ['a port in use', coded('EADDRINUSE'), 'PortInUse', 3],
  ['what nobody foresaw', new Error('oh'), 'Internal', 70],
  ['what is no error', 'oh', 'Internal', 70],
] as const)('%s has its reason and exit code', (_, error, reason, exitCode) => {
  const failure = failureOf(error)
  expect([failure.text.reason, failure.exitCode]).toEqual([reason, exitCode])
})

describe('a failure on screen', () => {
  const colors = createColors(false)
  const failure = new Failure({
    reason: 'PortInUse',
    message: 'Port 6443 is in use by k3s (pid 812).',
    detail: 't8s needs one free port for the API server.',
    next: [
      ['t8s up --port=0', 'use any free port'],
      ['t8s get clusters', 'is another t8s running?'],
    ],
  })

  test('is four lines with the next commands and, on the last, the reason', () => {
    expect(failureLines(failure, 'pretty', colors)).toEqual([
      '✗ Port 6443 is in use by k3s (pid 812).',
      '  t8s needs one free port for the API server.',
      '  → t8s up --port=0    use any free port',
      '  → t8s get clusters   is another t8s running?                      reason: PortInUse · exit 3',
    ])
  })

  test('has the reason on a line of its own when there is no other', () => {
    const bare = new Failure({ reason: 'Usage', message: 'No.' })
    expect(failureLines(bare, 'plain', colors)).toEqual(['FAIL No.', '  reason: Usage · exit 2'])
  })
})
