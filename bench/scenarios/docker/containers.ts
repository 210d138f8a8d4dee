/** Containers without a cluster: by the command that people type, and by the API under it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { COMMAND, IMAGE, type Runner } from './runner.ts'

const PREFIX = 't8s-bench-'

export function containersByCommand(): Runner {
  const made = new Set<string>()
  const remove = async (names: readonly string[]) => {
    const containers = names.map((name) => PREFIX + name)
    if (containers.length > 0) await docker(['stop', ...containers])
    if (containers.length > 0) await docker(['rm', ...containers])
    for (const name of names) made.delete(name)
  }
  return {
    async run(names) {
      for (const name of names) made.add(name)
      await Promise.all(names.map((name) => docker(['run', '--detach', '--name', PREFIX + name, IMAGE, ...COMMAND])))
    },
    remove,
    exec: (name) => firstByteOf(['exec', PREFIX + name, 'echo', 'here']),
    logs: (name) => firstByteOf(['logs', PREFIX + name]),
    [Symbol.asyncDispose]: () => remove([...made]),
  }
}

async function docker(words: readonly string[]): Promise<void> {
  const child = spawn('docker', words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`docker ${words[0]} has ended with ${code}`)
}

async function firstByteOf(words: readonly string[]): Promise<void> {
  const child = spawn('docker', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
}

export function containersByApi(engine: Docker): Runner {
  const made = new Map<string, Docker.Container>()
  const containerOf = (name: string) => {
    const container = made.get(name)
    if (container === undefined) throw new Error(`there is no container ${name}`)
    return container
  }
  const remove = async (names: readonly string[]) => {
    await Promise.all(names.map((name) => stopped(containerOf(name))))
    for (const name of names) made.delete(name)
  }
  return {
    async run(names) {
      await Promise.all(
        names.map(async (name) => {
          const container = await engine.createContainer({ name: PREFIX + name, Image: IMAGE, Cmd: [...COMMAND] })
          made.set(name, container)
          await container.start()
        }),
      )
    },
    remove,
    async exec(name) {
      const exec = await containerOf(name).exec({ Cmd: ['echo', 'here'], AttachStdout: true })
      await firstData(await exec.start({}))
    },
    // With `follow` the answer is a stream.
    logs: async (name) => firstData(await containerOf(name).logs({ stdout: true, follow: true })),
    [Symbol.asyncDispose]: () => remove([...made.keys()]),
  }
}

async function stopped(container: Docker.Container): Promise<void> {
  await container.stop()
  await container.remove()
}

async function firstData(stream: NodeJS.ReadableStream & Partial<Pick<Readable, 'destroy'>>): Promise<void> {
  await once(stream, 'data')
  stream.destroy?.()
}
