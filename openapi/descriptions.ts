/**
 * Descriptions of types and fields, joined at build time from the comments of two packages. They are prose of
 * others under their own licences: kept out of version control, shipped in the package with the notices.
 *
 * `@kubernetes/client-node` has every definition but loses the texts of fields that refer to another type, and
 * paragraph breaks; `kubernetes-models` and `@kubernetes-models/apimachinery` have those.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { type Facts, isServedByDefault, partsOf, propertiesOf, readFactsFile } from './facts.ts'

/** Texts by definition and field; the type's own has the empty name. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

type Texts = Readonly<Record<string, string>>

interface ClassNames {
  /** Definitions whose class is not called by version and kind. */
  readonly exceptions: Readonly<Record<string, string>>
  readonly noModel: readonly string[]
}

/** Field descriptions that a complete join has: fewer means that a package changed its form. */
export const FIELDS_MIN = 2_400

/** Definitions that neither package describes, in the project's own words. */
const OWN_TEXTS: Readonly<Record<string, string>> = {
  'resource#.Quantity': 'A number with an optional unit: plain (2), decimal (500m, 1k) or binary (64Mi).',
  'intstr#.IntOrString': 'A whole number, or text such as a percentage or the name of a port.',
  'meta.v1.Time': 'A moment in RFC 3339, to the second, in UTC.',
  'meta.v1.MicroTime': 'A moment in RFC 3339, to the microsecond, in UTC.',
}

export function joinDescriptions(facts: Facts, packages: URL): Descriptions {
  const names = readFactsFile('client-node-names.json') as ClassNames
  const models = new Map([
    ...readModels(new URL('kubernetes-models/', packages).pathname),
    ...readModels(new URL('@kubernetes-models/apimachinery/', packages).pathname),
  ])
  const clientNode = new URL('@kubernetes/client-node/dist/gen/models/', packages).pathname
  const result: Record<string, Texts> = {}
  for (const [name, definition] of Object.entries(facts.definitions)) {
    if (!isServedByDefault(name)) continue
    const className = classNameOf(name, names)
    const first = models.get(modelPath(facts, name)) ?? {}
    const second = className === undefined ? {} : readClass(clientNode, className)
    const texts: Record<string, string> = {}
    for (const field of ['', ...propertiesOf(definition).map((property) => property.name)]) {
      const text = first[field] ?? second[field] ?? (field === '' ? OWN_TEXTS[name] : undefined)
      if (text !== undefined) texts[field] = text
    }
    result[name] = texts
  }
  return result
}

export function countFields(descriptions: Descriptions): number {
  return Object.values(descriptions).reduce(
    (total, texts) => total + Object.keys(texts).filter((field) => field !== '').length,
    0,
  )
}

function classNameOf(name: string, { exceptions, noModel }: ClassNames): string | undefined {
  if (noModel.includes(name)) return undefined
  if (name === 'version#.Info') return 'VersionInfo'
  const { version, kind } = partsOf(name)
  return exceptions[name] ?? `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`
}

interface Attribute {
  readonly name: string
  readonly baseName: string
  readonly type: string
}

/** Types whose comment is printed in place of the field's own. */
const TYPES_WITHOUT_FIELD_TEXTS: ReadonlySet<string> = new Set(['IntOrString', 'V1MicroTime'])

function readClass(folder: string, className: string): Texts {
  const file = join(folder, `${className}.d.ts`)
  if (!existsSync(file)) return {}
  const text = readFileSync(file, 'utf8')
  const attributes = readAttributes(file.replace(/\.d\.ts$/, '.js'))
  const start = text.indexOf('export declare class')
  const texts: Record<string, string> = {}
  const [, head] = /\/\*\*\n\* ([\s\S]*?)\n\*\/\n$/.exec(text.slice(0, start)) ?? []
  if (head !== undefined) texts[''] = cleanClientNode(head)
  const fields = / {4}\/\*\*\n((?: {4}\*[^\n]*\n)*?) {4}\*\/\n {4}'([^']+)'\??:/g
  for (const [, comment = '', name = ''] of text.slice(start).matchAll(fields)) {
    const attribute = attributes.get(name)
    if (attribute === undefined || TYPES_WITHOUT_FIELD_TEXTS.has(attribute.type)) continue
    texts[attribute.baseName] = cleanClientNode(withoutStars(comment))
  }
  return texts
}

/** By the name in TypeScript, which differs from the JSON name for words like `default`. */
function readAttributes(file: string): ReadonlyMap<string, Attribute> {
  const [, text = '[]'] = /\.attributeTypeMap = (\[[\s\S]*?\]);\n/.exec(readFileSync(file, 'utf8')) ?? []
  return new Map((JSON.parse(text) as readonly Attribute[]).map((attribute) => [attribute.name, attribute]))
}

/** Undoes what the generator did to quotes, entities and comment delimiters. */
function cleanClientNode(text: string): string {
  return text
    .replace(/\\(['"\\])/g, '$1')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll('/_*', '/*')
    .replaceAll('*_/', '*/')
    .replaceAll('_*_', '*')
}

function withoutStars(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replace(/\n$/, '')
}

/** Texts by path below the package, without extension. */
function readModels(root: string): ReadonlyMap<string, Texts> {
  const models = new Map<string, Texts>()
  for (const file of declarationFiles(root)) {
    const texts = readModel(readFileSync(file, 'utf8'))
    if (texts !== undefined) models.set(relative(root, file).slice(0, -'.d.ts'.length).split(sep).join('/'), texts)
  }
  return models
}

function declarationFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return entry.name === '_schemas' || entry.name === 'node_modules' ? [] : declarationFiles(path)
    return entry.name.endsWith('.d.ts') && entry.name !== 'index.d.ts' ? [path] : []
  })
}

const MODEL = /(?:\/\*\*\n((?: \*[^\n]*\n)*?) \*\/\n)?export (?:declare )?(?:interface|type) I?(\w+)[^{;]*[{;]/
const MODEL_FIELD = / {4}\/\*\*\n((?: {5}\*[^\n]*\n)*?) {5}\*\/\n {4}"([^"]+)"\??:/g

function readModel(text: string): Texts | undefined {
  const match = MODEL.exec(text)
  if (match === null) return undefined
  const texts: Record<string, string> = {}
  if (match[1] !== undefined) texts[''] = cleanModel(match[1])
  const start = match.index + match[0].length
  for (const [, comment = '', name = ''] of text.slice(start, text.indexOf('\n}', start)).matchAll(MODEL_FIELD)) {
    texts[name] = cleanModel(comment)
  }
  return texts
}

function cleanModel(comment: string): string {
  return withoutStars(comment).replaceAll('\\*', '*').replaceAll('*\\/', '*/')
}

const UTILITY_FOLDERS: Readonly<Record<string, string>> = {
  'resource#': 'api/resource',
  'intstr#': 'util/intstr',
  'runtime#': 'runtime',
  'version#': 'version',
}

/** `core.v1.Pod` → `v1/Pod`, `apps.v1.Deployment` → `apps/v1/Deployment`. */
function modelPath({ groups }: Facts, name: string): string {
  const { package: first, version, kind } = partsOf(name)
  if (first === 'meta') return `apis/meta/v1/${kind}`
  const utility = UTILITY_FOLDERS[first]
  if (utility !== undefined) return `${utility}/${kind}`
  const group = first === 'core' ? '' : groupOf(groups, first)
  return `${group === '' ? '' : `${group}/`}${version}/${kind}`
}

function groupOf(groups: Facts['groups'], name: string): string {
  if (name === 'rbac') return 'rbac.authorization.k8s.io'
  return groups.find(({ group }) => group.split('.')[0] === name)?.group ?? name
}
