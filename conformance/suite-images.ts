/**
 * Stand-ins for the images of upstream's tests, made of programs that are built from the same release, and of this
 * machine's static busybox: nothing is pulled. What is on the machine under these names already is taken as it is; what
 * is made here goes when the run ends.
 *
 * agnhost's shell and tools are busybox's here: there is no curl and no dig, and nc has other flags, so tests that use
 * these fail. Debian's busybox drops environment variables whose names no shell would take, so tests of them fail, too.
 */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Pack, pack } from 'tar-stream'
import { capture } from '../scripts/command.ts'
import { type DockerEngine, isStatus, openDockerEngine } from '../src/node/runtime/docker-engine.ts'
import { sourcesOf, type UpstreamProgram } from './upstream.ts'

interface SuiteImage {
  /** As upstream's tests have it. */
  readonly reference: string
  /** Of upstream's, or `busybox`. */
  readonly program: UpstreamProgram | 'busybox'
  /** Where it lies in the image. */
  readonly path: string
  /** With busybox beside it, where the machine has it. */
  readonly tools?: boolean
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[]
}

const AGNHOST = {
  program: 'agnhost',
  path: 'agnhost',
  tools: true,
  changes: ['ENTRYPOINT ["/agnhost"]', 'CMD ["pause"]'],
} as const
const BUSYBOX = '/bin/busybox'

const IMAGES: readonly SuiteImage[] = [
  { ...AGNHOST, reference: 'registry.k8s.io/e2e-test-images/agnhost:2.63.0' },
  { ...AGNHOST, reference: 'registry.k8s.io/e2e-test-images/agnhost:2.55' },
  {
    reference: 'registry.k8s.io/pause:3.10.2',
    program: 'agnhost',
    path: 'agnhost',
    changes: ['ENTRYPOINT ["/agnhost", "pause"]'],
  },
  {
    reference: 'registry.k8s.io/e2e-test-images/busybox:1.37.0-1',
    program: 'busybox',
    path: 'bin/busybox',
    tools: true,
    changes: ['CMD ["sh"]'],
  },
  {
    reference: 'registry.k8s.io/e2e-test-images/sample-apiserver:1.29.2',
    program: 'sample-apiserver',
    path: 'sample-apiserver',
    changes: ['ENTRYPOINT ["/sample-apiserver"]'],
  },
  { reference: 'registry.k8s.io/etcd:3.6.8-0', program: 'etcd', path: 'usr/local/bin/etcd', changes: [] },
]

export async function makeSuiteImages(pathOf: (program: UpstreamProgram) => string): Promise<AsyncDisposable> {
  const engine = await openDockerEngine({ capabilities: [] })
  const made: string[] = []
  for (const image of IMAGES) {
    const source = image.program === 'busybox' ? BUSYBOX : pathOf(image.program)
    if (!existsSync(source) || (await exists(engine, image.reference))) continue
    await makeImage(engine, image, await readFile(source))
    made.push(image.reference)
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

async function makeImage({ docker }: DockerEngine, image: SuiteImage, program: Buffer): Promise<void> {
  const { reference, path, changes } = image
  const archive = pack()
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  if (image.program !== 'busybox') archive.entry({ name: path, mode: 0o755 }, program)
  if (image.tools === true && existsSync(BUSYBOX)) addTools(archive, await readFile(BUSYBOX))
  if (path === AGNHOST.path) await addFilesOfAgnhost(archive)
  archive.finalize()
  const colon = reference.lastIndexOf(':')
  const options = { repo: reference.slice(0, colon), tag: reference.slice(colon + 1), changes: [...changes] }
  // A pack of tar-stream is a stream that can be read.
  const answer = await docker.importImage(archive as unknown as NodeJS.ReadableStream, options)
  for await (const _ of answer);
}

/** The names under which busybox is its many programs, and the two files that some of them read. */
function addTools(archive: Pack, busybox: Buffer): void {
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, busybox)
  const applets = capture(BUSYBOX, ['--list']).output.split('\n')
  for (const applet of applets.filter((name) => name !== '' && name !== 'busybox'))
    archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })
  archive.entry({ name: 'etc/passwd' }, 'root:x:0:0:root:/root:/bin/sh\n')
  archive.entry({ name: 'etc/group' }, 'root:x:0:\n')
}

/** Its second name, and the certificate that it serves and that tests fetch and move away. */
async function addFilesOfAgnhost(archive: Pack): Promise<void> {
  archive.entry({ name: 'agnhost-2', type: 'symlink', linkname: 'agnhost' })
  const folder = sourcesOf('k8s.io/kubernetes/test/images/agnhost/porter')
  if (folder === undefined) return
  for (const name of ['localhost.crt', 'localhost.key']) archive.entry({ name }, await readFile(join(folder, name)))
}
