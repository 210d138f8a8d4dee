/** Style as a test: layers, cycles, sizes, dead files, banned words, header comments. Design: ARCHITECTURE.md. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** What each folder may import, besides itself. A folder that is missing here fails the test. */
const MACHINERY = ['machinery/meta', 'machinery/cel', 'machinery/schema', 'machinery/wire', 'machinery/patch']
const COMPONENT = ['base', ...MACHINERY, 'apis', 'client']
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  'machinery/meta': ['base'],
  'machinery/cel': ['base', 'machinery/meta'],
  'machinery/schema': ['base', 'machinery/meta', 'machinery/cel'],
  'machinery/wire': ['base', 'machinery/meta'],
  'machinery/patch': ['base', 'machinery/meta', 'machinery/schema'],
  storage: ['base'],
  apis: ['base', ...MACHINERY],
  watch: ['base', ...MACHINERY, 'storage'],
  client: ['base', ...MACHINERY, 'apis'],
  'server/registry': ['base', ...MACHINERY, 'apis', 'storage', 'watch'],
  'server/discovery': ['base', ...MACHINERY, 'apis'],
  'server/openapi': ['base', ...MACHINERY, 'apis', 'server/discovery'],
  'server/outbound': ['base'],
  'server/auth': [...COMPONENT, 'server/outbound'],
  'server/audit': [...COMPONENT, 'server/outbound', 'server/auth'],
  'server/flow-control': [...COMPONENT, 'server/auth'],
  'server/admission': [...COMPONENT, 'server/registry', 'server/auth', 'server/outbound'],
  'server/handlers': [...COMPONENT, 'watch', 'server/registry', 'server/discovery', 'server/openapi'],
  'server/aggregation': [
    ...COMPONENT,
    'watch',
    'server/registry',
    'server/discovery',
    'server/openapi',
    'server/outbound',
    'server/auth',
  ],
  'server/filters': [...COMPONENT, 'server/auth', 'server/audit', 'server/flow-control'],
  server: [
    ...COMPONENT,
    'storage',
    'watch',
    'server/registry',
    'server/discovery',
    'server/openapi',
    'server/outbound',
    'server/auth',
    'server/audit',
    'server/flow-control',
    'server/admission',
    'server/aggregation',
    'server/handlers',
    'server/filters',
  ],
  controllers: COMPONENT,
  scheduler: COMPONENT,
  node: COMPONENT,
  network: COMPONENT,
  dashboard: COMPONENT,
  insight: COMPONENT,
  cluster: ['*'],
  cli: [...COMPONENT, 'cluster'],
}

/** Words and what stands for them. `in`: only there are they right. */
const BANNED: readonly { readonly word: RegExp; readonly instead: string; readonly in?: readonly string[] }[] = [
  { word: /\bDate\.now\(/, instead: 'clock.now()', in: ['src/base/'] },
  { word: /\bnew Date\(\)/, instead: 'clock.now()', in: ['src/base/'] },
  { word: /\bperformance\.now\(/, instead: 'clock.monotonic()', in: ['src/base/'] },
  { word: /(?<!\.)\bset(Timeout|Interval)\(/, instead: 'clock.after()', in: ['src/base/'] },
  { word: /\bMath\.random\(/, instead: 'random.next()', in: ['src/base/'] },
  {
    word: /\bprocess\.env\b/,
    instead: 'the environment that is passed in',
    in: ['src/cluster/environment.ts', 'src/cli/main.ts'],
  },
  // The dialer's helper process is a script of its own.
  { word: /\bprocess\.exit\(/, instead: 'process.exitCode, or an error', in: ['src/node/runtime/namespace-dial.ts'] },
  { word: /\blocaleCompare\(/, instead: 'byCodeUnit' },
  { word: /\bTODO(?!\(#\d+\))/, instead: 'TODO(#issue), or nothing' },
  { word: /^export default\b/m, instead: 'a named export' },
  { word: /\bnew Function\(|\beval\(/, instead: 'code that is written down' },
]

const LINES_MAX = 500
const COLUMNS_MAX = 140
const FUNCTION_LINES_MAX = 70
const FOLDER_FILES_MAX = 25
/** Folders that stay larger, with the reason. */
const FOLDER_EXCEPTIONS: Readonly<Record<string, string>> = {}

interface SourceFile {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
  readonly functions: readonly { readonly line: number; readonly lines: number }[]
}

function filesUnder(folder: string): readonly string[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const { program, module } = parseSync(path, text)
  const functions: { line: number; lines: number }[] = []
  const measure = ({ start, end }: { readonly start: number; readonly end: number }) => {
    const line = text.slice(0, start).split('\n').length
    functions.push({ line, lines: text.slice(start, end).split('\n').length })
  }
  new Visitor({ FunctionDeclaration: measure, FunctionExpression: measure, ArrowFunctionExpression: measure }).visit(
    program,
  )
  const statics = [...module.staticImports.map((entry) => entry.moduleRequest.value), ...reExports(module)]
  const dynamics = [...text.matchAll(/\bimport\('(\.[^']+)'\)/g)].map((match) => match[1] ?? '')
  const imports = [...statics, ...dynamics]
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(ROOT, resolve(ROOT, dirname(path), name)))
  return { path, text, imports, functions }
}

function reExports(module: ReturnType<typeof parseSync>['module']): readonly string[] {
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  )
}

/** The deepest folder of LAYERS that holds the file. */
function layerOf(path: string): string | undefined {
  const parts = dirname(path).split('/').slice(1)
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('/')
    if (name in LAYERS) return name
  }
  return undefined
}

const isGenerated = (path: string) => path.endsWith('.gen.ts')
const isTest = (path: string) => path.endsWith('.test.ts')
const files = filesUnder('src').map(read)
const sources = files.filter(({ path }) => !isTest(path))
const others = ['test', 'bench', 'conformance', 'scripts', 'openapi'].flatMap(filesUnder).map(read)

describe('every file', () => {
  for (const file of files) {
    test(`${file.path} is tidy`, () => {
      expect(misplacedImports(file), 'imports against the layers').toEqual([])
      expect(bannedWords(file), 'banned words').toEqual([])
      if (isGenerated(file.path)) return
      expect(file.text.split('\n').length, 'lines').toBeLessThanOrEqual(LINES_MAX)
      expect(longLines(file), `lines over ${COLUMNS_MAX} columns`).toEqual([])
      if (isTest(file.path)) return
      expect(
        file.functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX),
        `functions over ${FUNCTION_LINES_MAX} lines`,
      ).toEqual([])
      expect(file.text.startsWith('/**'), 'opens with what it is').toBe(true)
    })
  }
})

function misplacedImports({ path, imports }: SourceFile): readonly string[] {
  const layer = layerOf(path)
  expect(layer, `${path} lies in no folder of LAYERS`).toBeDefined()
  const allowed = LAYERS[layer ?? ''] ?? []
  return imports.filter((target) => {
    if (isTest(path) && !target.startsWith('src/')) return false
    const other = layerOf(target)
    return !target.startsWith('src/') || (other !== layer && !allowed.includes('*') && !allowed.includes(other ?? ''))
  })
}

function bannedWords({ path, text }: SourceFile): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, (comment) => (comment.includes('TODO') ? comment : ''))
  return BANNED.filter(
    ({ word, in: places = [] }) => !places.some((place) => path.startsWith(place)) && word.test(code),
  ).map(({ word, instead }) => `${word.source}: use ${instead}`)
}

function longLines({ text }: SourceFile): readonly number[] {
  return text.split('\n').flatMap((line, index) => (line.length > COLUMNS_MAX ? [index + 1] : []))
}

test('no files import each other in a circle', () => {
  const imports = new Map(sources.map(({ path, imports: targets }) => [path, targets]))
  const state = new Map<string, 'open' | 'done'>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of imports.keys()) visit(path, [])
  expect(circles).toEqual([])
})

test('every file is used', () => {
  const used = new Set(
    [...files, ...others].flatMap(({ path, imports }) => imports.filter((target) => target !== path)),
  )
  // The command, and what callers of the library and roles in processes of their own use.
  const entries = new Set(['src/cli/main.ts', 'src/client/leader-election.ts'])
  expect(
    sources.map(({ path }) => path).filter((path) => !used.has(path) && !entries.has(path) && !isGenerated(path)),
  ).toEqual([])
})

test('no folder holds more files than a reader can take in', () => {
  const counts = new Map<string, number>()
  for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  const crowded = [...counts].filter(([folder, count]) => count > FOLDER_FILES_MAX && !(folder in FOLDER_EXCEPTIONS))
  expect(crowded).toEqual([])
})
