/**
 * Facts and schemas → generated files. `node openapi/generate.ts` writes them; with `--check` it only says which ones
 * differ from what is committed, and fails if any does; with `--descriptions` it writes the descriptions of
 * the OpenAPI documents, which are not committed.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { countFields, FIELDS_MIN, joinDescriptions } from './descriptions.ts'
import { documentChecksFile } from './document-checks.ts'
import { readFacts } from './facts.ts'
import { openApiFactsFile } from './openapi-facts.ts'
import { protobufFactsFile } from './protobuf-facts.ts'
import { resourceFactsFile } from './resource-facts.ts'
import { roleFactsFile } from './role-facts.ts'
import { schemaFactsFile } from './schema-facts.ts'
import { typeFiles } from './types.ts'

/** Where `--descriptions` writes. */
export const DESCRIPTIONS_FILE = new URL('../.cache/openapi/descriptions.json', import.meta.url)

const PACKAGES = new URL('../node_modules/', import.meta.url)
const SOURCE = new URL('../src/', import.meta.url)

/** Path below `src/` to text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const facts = readFacts()
  const files = new Map<string, string>()
  for (const [path, text] of typeFiles(facts)) files.set(`apis/${path}`, text)
  files.set('server/discovery/facts.gen.ts', resourceFactsFile(facts))
  files.set('server/openapi/facts.gen.ts', openApiFactsFile(facts))
  files.set('apis/schema-facts.gen.ts', schemaFactsFile(facts))
  files.set('apis/protobuf-facts.gen.ts', protobufFactsFile())
  files.set('cluster/documents/checks.gen.ts', documentChecksFile())
  files.set('server/auth/rbac/role-facts.gen.ts', roleFactsFile())
  return files
}

export function staleFiles(): readonly string[] {
  return [...generatedFiles()].filter(([path, text]) => currentText(path) !== text).map(([path]) => path)
}

function currentText(path: string): string | undefined {
  const file = new URL(path, SOURCE)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function writeDescriptions(): void {
  const descriptions = joinDescriptions(readFacts(), PACKAGES)
  const count = countFields(descriptions)
  if (count < FIELDS_MIN) throw new Error(`only ${count} field descriptions, expected at least ${FIELDS_MIN}`)
  mkdirSync(new URL('.', DESCRIPTIONS_FILE), { recursive: true })
  writeFileSync(DESCRIPTIONS_FILE, JSON.stringify(descriptions))
  console.log(`${count} field descriptions`)
}

function main(): void {
  if (process.argv.includes('--descriptions')) {
    writeDescriptions()
    return
  }
  const stale = staleFiles()
  if (process.argv.includes('--check')) {
    for (const path of stale) console.error(`stale: src/${path}`)
    process.exitCode = stale.length === 0 ? 0 : 1
    return
  }
  const files = generatedFiles()
  for (const path of stale) writeFileSync(new URL(path, SOURCE), files.get(path) ?? '')
  console.log(`${files.size} generated files, ${stale.length} written`)
}

if (import.meta.main) main()
