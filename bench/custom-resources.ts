/**
 * What a large CustomResourceDefinition costs: until it is served, and per object that is checked against it. Prints
 * a line per figure; run it on a quiet machine with `node bench/custom-resources.ts`.
 */

import { performance } from 'node:perf_hooks'
import { definitionFromCrd, versionSchema } from '../src/apis/apiextensions/definition-from-crd.ts'
import type { CustomResourceDefinition } from '../src/apis/apiextensions/types.gen.ts'
import type { ResourceDefinition } from '../src/apis/definition.ts'
import type { KubeObject } from '../src/machinery/meta/object.ts'
import { createExtensionServer, establish } from '../test/support/custom-resources.ts'
import { largeCrd, largeObject } from '../test/support/large-crd.ts'

/** Objects per figure, after as many to warm up. */
const ROUNDS = 300

const show = (what: string, ms: number): void => console.log(`${what.padEnd(48)} ${ms.toFixed(3).padStart(10)} ms`)

async function establishing(): Promise<void> {
  await using server = createExtensionServer()
  const start = performance.now()
  await establish(server, largeCrd())
  show('create until established', performance.now() - start)
  const body = largeObject('first')
  const before = performance.now()
  const { status } = await server.send('POST', '/apis/example.com/v1/namespaces/default/noxus', { body })
  show(`the first object (${status}), with what is compiled then`, performance.now() - before)
}

function largeDefinition(): ResourceDefinition {
  // The generator writes what the server would take.
  const crd = largeCrd() as unknown as CustomResourceDefinition
  const [version] = crd.spec.versions
  if (version === undefined) throw new Error('the definition has a version')
  const schema = versionSchema(crd, version)
  return definitionFromCrd(crd, version, { schemaOf: () => schema })
}

function perObject(what: string, work: (object: KubeObject) => unknown): void {
  const objects = Array.from({ length: 2 * ROUNDS }, (_, index) => largeObject(`o${index}`) as unknown as KubeObject)
  for (const object of objects.slice(0, ROUNDS)) work(object)
  const start = performance.now()
  for (const object of objects.slice(ROUNDS)) work(object)
  show(what, (performance.now() - start) / ROUNDS)
}

await establishing()
const definition = largeDefinition()
perObject('validate an object, rules included', (object) => definition.validate(object))
perObject('prune and default an object', (object) => definition.default(object))
