/**
 * One operator, written four times with the libraries of four languages, on a server that is stopped and killed under
 * them: leader election, watches, status, finalizers, events and limited rights, as operators use them.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClientLanguage } from '../../clients.ts'
import { eventually } from '../kubectl/support/eventually.ts'
import { chosenPrograms } from './support/chosen-programs.ts'
import { type ClientsCluster, startClientsCluster } from './support/cluster.ts'
import { type Operator, startOperator } from './support/operator.ts'
import { defineWidgets } from './support/widgets.ts'

const NAMES = ['w-0', 'w-1', 'w-2', 'w-3', 'w-4']

const programs = await chosenPrograms()

describe('operators', () => {
  const running: { cluster?: ClientsCluster } = {}
  const operators = new Map<ClientLanguage, Operator>()
  const moments = { stop: 0 }

  beforeAll(async () => {
    running.cluster = await startClientsCluster('operators')
    await defineWidgets(running.cluster)
  })
  afterAll(down)

  async function down(): Promise<readonly string[]> {
    for (const operator of operators.values()) await operator[Symbol.asyncDispose]()
    const { cluster } = running
    delete running.cluster
    return (await cluster?.down()) ?? []
  }

  function cluster(): ClientsCluster {
    if (!running.cluster) throw new Error('the cluster does not run')
    return running.cluster
  }

  function operatorOf(language: ClientLanguage): Operator {
    const operator = operators.get(language)
    if (!operator) throw new Error(`the ${language} operator did not start`)
    return operator
  }

  /** The same test for every language, all at once. */
  function each(title: string, body: (operator: Operator) => Promise<void>): void {
    eachLanguage(title, (language) => body(operatorOf(language)))
  }

  function eachLanguage(title: string, body: (language: ClientLanguage) => Promise<void>): void {
    describe(title, () => {
      for (const [language, program] of programs) {
        const name = program.available ? language : `${language}: skipped, ${program.reason}`
        test.skipIf(!program.available).concurrent(name, ({ onTestFailed }) => {
          onTestFailed(() => console.error(operators.get(language)?.said()))
          return body(language)
        })
      }
    })
  }

  eachLanguage('start, and may not read secrets', async (language) => {
    const program = programs.get(language)
    if (!program?.available) return
    const operator = await startOperator(cluster(), language, program.command)
    operators.set(language, operator)
    for (const replica of operator.replicas.values()) await replica.prints('secrets: 403 Forbidden')
    expect(await operator.leader()).toMatch(language)
  })

  each('make what widgets ask for, and say so', async ({ widgets }) => {
    for (const [index, name] of NAMES.entries()) await widgets.create(name, { size: index + 1, message: 'first' })
    for (const [index, name] of NAMES.entries()) await hasParts(widgets, name, index + 1, 'first')
    const [first] = await widgets.list()
    expect(first?.metadata.finalizers).toEqual(['clients.example.com/cleanup'])
    expect(first?.status?.conditions).toEqual([
      expect.objectContaining({ type: 'Ready', status: 'True', reason: 'Reconciled' }),
    ])
    const [configMap] = await widgets.partsLists()
    expect(configMap?.metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: 'Widget', name: 'w-0', uid: first?.metadata.uid, controller: true }),
    ])
    await eventually(async () => {
      const events = (await widgets.events()).filter(({ reason }) => reason === 'Reconciled')
      expect(new Set(events.map(({ involvedObject }) => involvedObject.name))).toEqual(new Set(NAMES))
    })
  })

  each('follow changes, and put back what is taken away', async ({ widgets }) => {
    await widgets.change('w-0', { size: 7, message: 'second' })
    await hasParts(widgets, 'w-0', 7, 'second')
    await widgets.removeParts('w-1')
    await hasParts(widgets, 'w-1', 2, 'first')
  })

  test('the server is stopped and started', async () => {
    const before = await versions()
    moments.stop = Date.now()
    await cluster().stop()
    await cluster().start()
    expect(await versions()).toEqual(before)
  })

  each('go on after a stop', goOn('after a stop'))

  test('the server is killed right after it took a change, and started', async () => {
    await Promise.all([...operators.values()].map(({ widgets }) => widgets.change('w-0', { message: 'before a kill' })))
    await cluster().kill()
    await cluster().start()
  })

  each('miss nothing that was taken before a kill', ({ widgets }) => hasParts(widgets, 'w-0', 7, 'before a kill'))

  each('go on after a kill', goOn('after a kill'))

  each('resume their watches where they stood, and list nothing again', async ({ user }) => {
    const reads = (await cluster().reads()).filter((read) => read.user === user && read.timeMs > moments.stop)
    for (const resource of ['widgets', 'configmaps']) {
      const again = reads.filter((read) => read.resource === resource)
      expect(again.length).toBeGreaterThanOrEqual(2)
      for (const { verb, query } of again) {
        expect(verb).toBe('watch')
        expect(Number(query.get('resourceVersion'))).toBeGreaterThan(0)
        expect(query.has('sendInitialEvents')).toBe(false)
      }
    }
  })

  each('let the other replica take over from a leader that is killed', async (operator) => {
    const { widgets, replicas } = operator
    const killed = await operator.leader()
    replicas.get(killed)?.kill('SIGKILL')
    await widgets.change('w-4', { message: 'after a takeover' })
    await hasParts(widgets, 'w-4', 5, 'after a takeover')
    expect(await operator.leader()).not.toBe(killed)
  })

  each('clean up before widgets go', async ({ widgets }) => {
    for (const { metadata } of await widgets.list()) await widgets.remove(metadata.name ?? '')
    await eventually(async () => expect(await widgets.list()).toEqual([]))
    const cleaned = Object.keys((await widgets.cleanup()) ?? {})
    expect(cleaned.sort()).toEqual([...NAMES, 'after-a-kill', 'after-a-stop'].sort())
    await eventually(async () => expect(await widgets.partsLists()).toEqual([]))
  })

  each('end when they are told to', async (operator) => {
    const replica = operator.replicas.get(await operator.leader())
    replica?.kill('SIGTERM')
    // What the signal makes of a Java program that has ended by itself.
    expect(await replica?.exit).toBe(operator.language === 'java' ? 143 : 0)
    expect(replica?.stdout()).toMatch(/^stopped$/m)
  })

  test('nothing is left behind', async () => {
    expect(await down()).toEqual([])
  })

  /** Everything that operators wrote, with its version: what is the same needs no second write. */
  async function versions(): Promise<readonly string[]> {
    const lists = await Promise.all(
      [...operators.values()].map(async ({ widgets }) => [...(await widgets.list()), ...(await widgets.partsLists())]),
    )
    return lists.flat().map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`)
  }

  /** Nobody has to write what was there; what is new and what changed comes through. */
  function goOn(moment: string): (operator: Operator) => Promise<void> {
    return async ({ widgets, namespace }) => {
      const untouched = async () => (await versions()).filter((text) => text.startsWith(`${namespace}/w-2`))
      const before = await untouched()
      await widgets.change('w-3', { message: moment })
      const name = moment.replaceAll(' ', '-')
      await widgets.create(name, { size: 3, message: moment })
      await hasParts(widgets, 'w-3', 4, moment)
      await hasParts(widgets, name, 3, moment)
      expect(await untouched()).toEqual(before)
      await widgets.removeParts('w-3')
      await hasParts(widgets, 'w-3', 4, moment)
    }
  }
})

async function hasParts({ parts, get }: Operator['widgets'], name: string, size: number, message: string) {
  const expected = Object.fromEntries(Array.from({ length: size }, (_, index) => [`part-${index}`, message]))
  await eventually(async () => {
    expect(await parts(name)).toEqual(expected)
    const { metadata, status } = await get(name)
    expect(status).toMatchObject({ phase: 'Ready', parts: size, observedGeneration: metadata.generation })
  })
}
