/**
 * Bundles the command into `dist/`, with classic-level as the only native package: an entry, and beside it the program as
 * modules that are loaded when they are needed.
 */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { say, show } from './command.ts'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const STAMP = join(DIST, '.built')
/** Where the generator leaves the texts of the API's fields. */
const DESCRIPTIONS = join(ROOT, '.cache', 'openapi', 'descriptions.json')

const NATIVE_LEVEL = 'classic-level/binding.js'

/** Bundled code may still call `require`, which an ES module does not have. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"

/**
 * Chunks of earlier builds stay for a while: a cluster that runs in the background may load one later. In ms: a week.
 */
const CHUNK_AGE_MS_MAX = 7 * 86_400_000

export async function buildIfStale(): Promise<void> {
  const built = existsSync(STAMP) ? statSync(STAMP).mtimeMs : 0
  const sources = ['src', 'openapi', 'scripts', 'package-lock.json'].map((name) => join(ROOT, name))
  if (sources.every((path) => newest(path) < built)) return
  await bundle()
  removeOldChunks()
}

function removeOldChunks(): void {
  for (const name of readdirSync(DIST)) {
    const path = join(DIST, name)
    if (name.startsWith('chunk-') && Date.now() - statSync(path).mtimeMs > CHUNK_AGE_MS_MAX) rmSync(path)
  }
}

function newest(path: string): number {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), mtimeMs)
}

/** Importing `node:http` as a module makes Node load its whole fetch, 30 ms and 16 MB; asking for it does not. */
const httpWithoutFetch: Plugin = {
  name: 'http-without-fetch',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'node:http', namespace: 'builtin' }))
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}')`,
    }))
  },
}

/** Only Express's router is used: without the rest, its body parsers and tables of encodings and types stay out. */
const routerOfExpress: Plugin = {
  name: 'router-of-express',
  setup({ onResolve, onLoad }) {
    const express = createRequire(import.meta.url).resolve('express')
    onResolve({ filter: /^express$/ }, () => ({ path: 'express', namespace: 'router-only' }))
    onLoad({ filter: /^/, namespace: 'router-only' }, () => ({
      contents: "export { default as Router } from 'router'",
      resolveDir: dirname(express),
    }))
  },
}

/** Of LevelDB only the native part stays outside: 33 small files less to find and read. */
const levelWithoutFiles: Plugin = {
  name: 'level-without-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      /[\\/]classic-level[\\/]/.test(importer) ? { path: NATIVE_LEVEL, namespace: 'native' } : undefined,
    )
    onLoad({ filter: /^/, namespace: 'native' }, ({ path }) => ({ contents: `module.exports = require('${path}')` }))
  },
}

/** Images are not built with BuildKit: without its sessions, gRPC and protobuf.js stay out, 1 MB of code. */
const dockerWithoutSessions: Plugin = {
  name: 'docker-without-sessions',
  setup({ onLoad }) {
    onLoad({ filter: /dockerode[\\/]lib[\\/]session\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('BuildKit sessions are left out of this build') }",
    }))
  },
}

/** The entry takes the program from the file beside it. */
const programBeside: Plugin = {
  name: 'program-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/program\.ts$/ }, () => ({ path: './program.mjs', external: true }))
  },
}

/** Of both. */
const SHARED: BuildOptions = {
  absWorkingDir: ROOT,
  outdir: DIST,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // Where a library has both forms, the ES module: its exports keep their names, and what is not used drops out.
  mainFields: ['module', 'main'],
  // Without comments the text is ASCII: see `checkAscii`.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'linked',
  sourcemap: 'linked',
  sourcesContent: false,
  external: [NATIVE_LEVEL, 'ssh2', 'cpu-features'],
  plugins: [httpWithoutFetch, routerOfExpress, levelWithoutFiles, dockerWithoutSessions],
  logLevel: 'warning',
}

async function bundle(): Promise<void> {
  say('building dist/ …')
  mkdirSync(DIST, { recursive: true })
  const described = show(process.execPath, [join(ROOT, 'openapi', 'generate.ts'), '--descriptions'])
  if (described !== 0) throw new Error('the descriptions of the API could not be generated')
  copyFileSync(DESCRIPTIONS, join(DIST, 'descriptions.json'))
  writeFileSync(join(DIST, 'package.json'), '{ "type": "commonjs" }\n')
  const built = await Promise.all([bundleEntry(), bundleModules()])
  const paths = built.flatMap(({ metafile }) => Object.keys(metafile.outputs))
  for (const path of paths) if (/\.m?js$/.test(path)) checkAscii(path)
  chmodSync(join(DIST, 't8s.js'), 0o755)
  writeFileSync(STAMP, '')
}

/** CommonJS: Node's loader of modules takes its time before it has read the first one. */
function bundleEntry() {
  return build({
    ...SHARED,
    metafile: true,
    entryPoints: { t8s: source('main.ts') },
    format: 'cjs',
    define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    plugins: [programBeside],
    banner: { js: '#!/usr/bin/env node' },
  })
}

function bundleModules() {
  return build({
    ...SHARED,
    metafile: true,
    entryPoints: { program: source('program.ts') },
    outExtension: { '.js': '.mjs' },
    splitting: true,
    format: 'esm',
    chunkNames: 'chunk-[hash]',
    banner: { js: REQUIRE },
  })
}

function source(name: string): string {
  return join(ROOT, 'src', 'cli', name)
}

/** One other character, in a regular expression say, and Node decodes the text to two bytes a character. */
function checkAscii(path: string): void {
  const found = /.{0,40}[^\0-\x7f].{0,20}/.exec(readFileSync(join(ROOT, path), 'utf8'))
  if (found) throw new Error(`${path} is not ASCII, write the character as an escape: ${found[0]}`)
}

if (import.meta.main) {
  rmSync(DIST, { recursive: true, force: true })
  await bundle()
}
