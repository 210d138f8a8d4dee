/**
 * Programs written with other people's client libraries: what they need is fetched and built once per machine, in the
 * versions that are pinned beside their sources, and kept outside of the checkout.
 */

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const SOURCES = join(import.meta.dirname, 'cases', 'clients')

export const CLIENT_LANGUAGES = ['node', 'python', 'java', 'go'] as const
export type ClientLanguage = (typeof CLIENT_LANGUAGES)[number]

export type ClientProgram =
  /** What is run, before the program's own parameters. */
  | { readonly available: true; readonly command: readonly [string, ...string[]] }
  /** Why it cannot be had here. */
  | { readonly available: false; readonly reason: string }

interface Recipe {
  /** Prints the version of what runs the steps. */
  readonly needs: readonly [string, ...string[]]
  /** The files that decide what is built, by the ends of their names. */
  readonly inputs: readonly string[]
  /** Run one after the other, in the folder of the sources. */
  steps(folder: string): readonly (readonly [string, ...string[]])[]
  command(folder: string): readonly [string, ...string[]]
}

/** Starts fast rather than running fast: the programs live for a minute. */
const JAVA_OPTIONS = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx192m']

const RECIPES: Readonly<Record<ClientLanguage, Recipe>> = {
  node: {
    needs: [process.execPath, '--version'],
    inputs: [],
    steps: () => [],
    command: () => [process.execPath, join(SOURCES, 'node', 'main.ts')],
  },
  python: {
    needs: ['python3', '--version'],
    inputs: ['requirements.txt'],
    steps: (folder) => [
      ['python3', '-m', 'venv', join(folder, 'venv')],
      [join(folder, 'venv', 'bin', 'pip'), 'install', '--quiet', '--no-deps', '--requirement', 'requirements.txt'],
    ],
    command: (folder) => [join(folder, 'venv', 'bin', 'python'), '-u', '-B', join(SOURCES, 'python', 'main.py')],
  },
  java: {
    needs: ['mvn', '--version'],
    inputs: ['pom.xml', '.java'],
    steps: (folder) => [
      ['mvn', '--batch-mode', '--quiet', `-Dmaven.repo.local=${join(clientsFolder(), 'maven')}`, ...mavenGoals(folder)],
    ],
    command: (folder) => ['java', ...JAVA_OPTIONS, '-cp', join(folder, 'target', 'classes') + jars(folder), 'Main'],
  },
  go: {
    needs: ['go', 'version'],
    inputs: ['go.mod', 'go.sum', '.go'],
    steps: (folder) => [['go', 'build', '-ldflags', '-s -w', '-o', join(folder, 'clients'), '.']],
    command: (folder) => [join(folder, 'clients')],
  },
}

function mavenGoals(folder: string): readonly string[] {
  const output = [`-Dbuild=${join(folder, 'target')}`, `-DoutputDirectory=${join(folder, 'jars')}`]
  return ['compile', 'dependency:copy-dependencies', ...output]
}

function jars(folder: string): string {
  return `:${join(folder, 'jars', '*')}`
}

/** Downloads and a build of everything take about five minutes on two cores; what takes this long hangs. */
const STEP_MINUTES_MAX = 20
/** Of a failed step's output: where the errors stand. */
const LAST_LINES_MAX = 15

/** Sees to it that the program is there. */
export async function clientProgram(language: ClientLanguage, say: (message: string) => void): Promise<ClientProgram> {
  const recipe = RECIPES[language]
  const folder = join(clientsFolder(), language)
  try {
    const key = keyOf(language, recipe)
    if (!isBuilt(folder, key)) {
      await build(language, recipe, folder, say)
      writeFileSync(stampOf(folder), key)
    }
    return { available: true, command: recipe.command(folder) }
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

async function build(
  language: ClientLanguage,
  { steps }: Recipe,
  folder: string,
  say: (message: string) => void,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const planned = steps(folder)
  if (planned.length > 0) say(`fetching and building the ${language} client, once on this machine …`)
  for (const [program, ...parameters] of planned) await run(language, program, parameters)
}

async function run(language: ClientLanguage, program: string, parameters: readonly string[]): Promise<void> {
  const child = spawn(program, parameters, {
    cwd: join(SOURCES, language),
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_MINUTES_MAX * 60_000,
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return
  const lines = Buffer.concat(output).toString().trimEnd().split('\n').slice(-LAST_LINES_MAX)
  const what = code === null ? `took longer than ${STEP_MINUTES_MAX} minutes` : `failed with exit code ${code}`
  throw new Error(`${program} for the ${language} client ${what}: ${lines.join('\n')}`)
}

/** Names what decides what is built, so that a change of it builds anew: the tool, the pins and compiled sources. */
function keyOf(language: ClientLanguage, { needs, inputs }: Recipe): string {
  const [program, ...parameters] = needs
  const { error, status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' })
  if (error) throw new Error(`${program} is not installed (${error.message}); it builds the ${language} client`)
  if (status !== 0) throw new Error(`${program} does not run: ${stderr.trim()}`)
  const hash = createHash('sha256').update(stdout)
  const folder = join(SOURCES, language)
  const files = readdirSync(folder).filter((file) => inputs.some((end) => file.endsWith(end)))
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}

function isBuilt(folder: string, key: string): boolean {
  return existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === key
}

function stampOf(folder: string): string {
  return join(folder, 'key')
}

function clientsFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 't8s', 'clients')
}
