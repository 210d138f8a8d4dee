/**
 * Stand-ins for the images of upstream's tests, made of a program that is built from the same release: nothing is
 * pulled. They hold agnhost and nothing else, no shell and no tools, which is what tests of webhooks need. What is on
 * the machine under these names already is taken as it is; what is made here goes when the run ends.
 */

import { readFile } from 'node:fs/promises'
import { pack } from 'tar-stream'
import { type DockerEngine, isStatus, openDockerEngine } from '../src/node/runtime/docker-engine.ts'

const AGNHOST = ['ENTRYPOINT ["/agnhost"]', 'CMD ["pause"]']

/** References as upstream's tests have them, and what their configuration says. */
const IMAGES: Readonly<Record<string, readonly string[]>> = {
  'registry.k8s.io/e2e-test-images/agnhost:2.63.0': AGNHOST,
  'registry.k8s.io/e2e-test-images/agnhost:2.55': AGNHOST,
  'registry.k8s.io/pause:3.10.2': ['ENTRYPOINT ["/agnhost", "pause"]'],
}

export async function makeSuiteImages(agnhost: string): Promise<AsyncDisposable> {
  const engine = await openDockerEngine({ capabilities: [] })
  const program = await readFile(agnhost)
  const made: string[] = []
  for (const [reference, changes] of Object.entries(IMAGES)) {
    if (await exists(engine, reference)) continue
    await makeImage(engine, reference, program, changes)
    made.push(reference)
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const reference of made) await engine.docker.getImage(reference).remove({ force: true })
    },
  }
}

async function exists({ docker }: DockerEngine, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).inspect()
    return true
  } catch (error) {
    if (isStatus(error, 404)) return false
    throw error
  }
}

async function makeImage(
  { docker }: DockerEngine,
  reference: string,
  program: Buffer,
  changes: readonly string[],
): Promise<void> {
  const archive = pack()
  archive.entry({ name: 'agnhost', mode: 0o755 }, program)
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  archive.finalize()
  const colon = reference.lastIndexOf(':')
  const name = { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) }
  // A pack of tar-stream is a stream that can be read.
  const answer = await docker.importImage(archive as unknown as NodeJS.ReadableStream, {
    ...name,
    changes: [...changes],
  })
  for await (const _ of answer);
}
