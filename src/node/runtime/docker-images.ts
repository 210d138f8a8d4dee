/** Images of a Docker Engine: looked up, pulled, removed, and the sandbox's own one made from nothing. */

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { type DockerEngine, ignoring, isStatus, messageOf } from './docker-engine.ts'
import { checkReference, registryOf, withTag } from './image-reference.ts'
import { type ImageStatus, RuntimeError } from './runtime.ts'
import { sandboxProgram } from './sandbox-elf.ts'

/** The tag says which program is inside: raise it when `sandbox-elf.ts` changes. */
export const SANDBOX_IMAGE = 't8s/pause:1'

/** Makes the image that every sandbox runs, unless the engine has it. */
export async function ensureSandboxImage({ docker, architecture }: DockerEngine): Promise<void> {
  try {
    await docker.getImage(SANDBOX_IMAGE).inspect()
    return
  } catch (error) {
    if (!isStatus(error, 404)) throw error
  }
  const archive = pack()
  archive.entry({ name: 'pause', mode: 0o755, mtime: new Date(0) }, sandboxProgram(architecture))
  archive.finalize()
  const [repo, tag] = SANDBOX_IMAGE.split(':')
  const options = {
    repo,
    tag,
    platform: `linux/${architecture}`,
    changes: ['ENTRYPOINT ["/pause"]', 'USER 65535:65535'],
  }
  // The archive is a readable stream in all but its type.
  const answer = await docker.importImage(archive as unknown as NodeJS.ReadableStream, options)
  await progressOf(answer)
}

export async function listImages({ docker }: DockerEngine): Promise<readonly ImageStatus[]> {
  const images = await docker.listImages()
  return images.map((image) => ({
    id: image.Id,
    tags: (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>'),
    digests: (image.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>')),
    sizeBytes: image.Size,
    user: {},
  }))
}

export async function findImage({ docker }: DockerEngine, reference: string): Promise<ImageStatus | undefined> {
  checkReference(reference)
  try {
    const image = await docker.getImage(reference).inspect()
    return {
      id: image.Id,
      tags: image.RepoTags ?? [],
      digests: image.RepoDigests ?? [],
      sizeBytes: image.Size,
      user: userOfImage(image.Config?.User ?? ''),
    }
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw new RuntimeError('ImageInspectError', messageOf(error))
  }
}

/** `1001:1001` → a number; `nginx` → a name; empty → root. */
export function userOfImage(text: string): ImageStatus['user'] {
  const [user = ''] = text.split(':')
  if (user === '') return { uid: 0 }
  return /^\d+$/.test(user) ? { uid: Number(user) } : { name: user }
}

export async function pullImage(
  engine: DockerEngine,
  reference: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<ImageStatus> {
  checkReference(reference)
  try {
    const options = { fromImage: withTag(reference), platform: `linux/${engine.architecture}` }
    const answer = await engine.docker.createImage({ ...credentials, serveraddress: registryOf(reference) }, options)
    await progressOf(answer)
  } catch (error) {
    throw new RuntimeError(reasonOfPull(error), messageOf(error))
  }
  const image = await findImage(engine, reference)
  if (!image) throw new RuntimeError('ErrImagePull', `image ${reference} is not there after it was pulled`)
  return image
}

/** Only tags of this name go when others use the same image. */
export async function removeImage({ docker }: DockerEngine, reference: string): Promise<void> {
  checkReference(reference)
  await ignoring([404], docker.getImage(reference).remove({ force: true }))
}

function reasonOfPull(error: unknown): string {
  return isStatus(error, 502, 503, 504) ? 'RegistryUnavailable' : 'ErrImagePull'
}

/** Progress lines are skipped; an `error` among them is thrown. One line is far below the bound. */
const PROGRESS_LINE_BYTES_MAX = 1_048_576

async function progressOf(answer: NodeJS.ReadableStream): Promise<void> {
  let rest = ''
  answer.setEncoding('utf8')
  answer.on('data', (chunk: string) => {
    rest += chunk
    const lines = rest.split('\n')
    rest = (lines.pop() ?? '').slice(0, PROGRESS_LINE_BYTES_MAX)
    for (const line of lines) {
      const failure = errorOfProgress(line)
      if (failure !== undefined) (answer as Readable).destroy(new Error(failure))
    }
  })
  await once(answer, 'end')
  const failure = errorOfProgress(rest)
  if (failure !== undefined) throw new Error(failure)
}

function errorOfProgress(line: string): string | undefined {
  if (!line.includes('"error"')) return undefined
  try {
    const { error } = JSON.parse(line) as { error?: unknown }
    return typeof error === 'string' ? error : undefined
  } catch {
    return undefined
  }
}
