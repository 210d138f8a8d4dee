/**
 * What clients are asked to do besides operating: pages, selectors, patches, deletions, subresources, streams, failures,
 * the end of a watch's history, discovery, dynamic clients and times; the same stations with each library. And informers
 * on everything, as dashboards have them.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClientLanguage } from '../../clients.ts'
import { type CommandResult, runCommand } from '../kubectl/support/command.ts'
import { eventually } from '../kubectl/support/eventually.ts'
import { chosenPrograms } from './support/chosen-programs.ts'
import { type ShortHistory, startShortHistory } from './support/short-history.ts'
import { defineWidgets } from './support/widgets.ts'

const STATIONS = [
  ...['pages', 'selectors', 'patches', 'apply', 'errors', 'deletion', 'scale', 'status', 'streams', 'expiry'],
  ...['discovery', 'dynamic', 'times'],
]

/** What only one library has. */
const MORE_STATIONS: Partial<Readonly<Record<ClientLanguage, readonly string[]>>> = { go: ['protobuf'] }

/** The definition is younger, so a watch of its resource from here needs history. */
const EXPIRED = '1'

const programs = await chosenPrograms()

describe('tours', () => {
  const running: { cluster?: ShortHistory } = {}

  beforeAll(async () => {
    const cluster = await startShortHistory('tours')
    running.cluster = cluster
    await defineWidgets(cluster)
    await eventually(() => expect(cluster.forgotten()).toBeGreaterThan(Number(EXPIRED)))
  })
  afterAll(async () => running.cluster?.[Symbol.asyncDispose]())

  /** Runs the program of a language in a namespace of its own. */
  async function run(language: ClientLanguage, what: string): Promise<CommandResult> {
    const { cluster } = running
    const program = programs.get(language)
    if (!cluster || !program?.available) throw new Error('there is nothing to run')
    const namespace = `${what}-${language}`
    await cluster.ask({ method: 'POST', path: '/api/v1/namespaces', object: { metadata: { name: namespace } } })
    const [command, ...parameters] = program.command
    const { PATH } = process.env
    const env = { PATH, HOME: cluster.directory, KUBECONFIG: cluster.kubeconfig, NAMESPACE: namespace, EXPIRED }
    return runCommand(command, [...parameters, what], { env })
  }

  for (const [language, program] of programs) {
    const name = program.available ? language : `${language}: skipped, ${program.reason}`
    test.skipIf(!program.available).concurrent(name, async () => {
      const { stdout, stderr } = await run(language, 'tour')
      const expected = [...STATIONS, ...(MORE_STATIONS[language] ?? [])].map((station) => `ok ${station}`)
      expect(stdout.trim().split('\n'), stderr).toEqual(expected)
    })
  }

  test.skipIf(!programs.get('go')?.available)('informers on every resource, several times over', async () => {
    const { stdout, stderr } = await run('go', 'everything')
    expect(stdout, stderr).toMatch(/^ok \d{3} informers\n$/)
  })
})
