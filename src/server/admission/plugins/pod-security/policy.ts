/** What a namespace's labels ask of its pods: for each mode a level of the pod security standards, as of a version. */

import { type FieldError, FieldPath, invalidValue } from '../../../../machinery/meta/field-error.ts'

/** From the most to the least that is allowed. */
const LEVELS = ['privileged', 'baseline', 'restricted'] as const
export type Level = (typeof LEVELS)[number]

export interface Standard {
  readonly level: Level
  /** The minor version whose rules count; Infinity: the latest. */
  readonly minor: number
}

export interface Policy {
  readonly enforce: Standard
  readonly audit: Standard
  readonly warn: Standard
}

const FREE: Standard = { level: 'privileged', minor: Number.POSITIVE_INFINITY }
const PREFIX = 'pod-security.kubernetes.io/'
const VERSION = /^v1\.([0-9]|[1-9][0-9]*)$/

export function standardText({ level, minor }: Standard): string {
  return `${level}:${minor === Number.POSITIVE_INFINITY ? 'latest' : `v1.${minor}`}`
}

export function sameStandard(left: Standard, right: Standard): boolean {
  return left.level === right.level && left.minor === right.minor
}

/** Whether `left` allows less than `right`. */
export function isStricter(left: Level, right: Level): boolean {
  return LEVELS.indexOf(left) > LEVELS.indexOf(right)
}

type Labels = Readonly<Record<string, string>>

/** Without a label for it, what is enforced is warned of as well. Labels that say nothing of sense fail closed in enforcing only. */
export function policyOf(labels: Labels = {}): Policy {
  const enforceLevel = labels[`${PREFIX}enforce`]
  const enforce = {
    level: enforceLevel === undefined ? FREE.level : (levelOf(enforceLevel) ?? 'restricted'),
    minor: minorOf(labels, 'enforce') ?? FREE.minor,
  }
  const audit = openStandard(labels, 'audit')
  const warn = openStandard(labels, 'warn')
  const warnsOfItself = labels[`${PREFIX}warn`] !== undefined
  const known = enforceLevel !== undefined && levelOf(enforceLevel) !== undefined
  if (warnsOfItself || !known || !isStricter(enforce.level, warn.level)) return { enforce, audit, warn }
  return { enforce, audit, warn: { level: enforce.level, minor: minorOf(labels, 'warn') ?? enforce.minor } }
}

function openStandard(labels: Labels, mode: 'audit' | 'warn'): Standard {
  const text = labels[`${PREFIX}${mode}`]
  const level = text === undefined ? FREE.level : (levelOf(text) ?? 'privileged')
  return { level, minor: minorOf(labels, mode) ?? FREE.minor }
}

function levelOf(text: string): Level | undefined {
  return LEVELS.find((level) => level === text)
}

/** Undefined: no version is named. */
function minorOf(labels: Labels, mode: string): number | undefined {
  const text = labels[`${PREFIX}${mode}-version`]
  if (text === undefined) return undefined
  const [, minor] = VERSION.exec(text) ?? []
  return minor === undefined ? Number.POSITIVE_INFINITY : Number(minor)
}

export function policyErrors(labels: Labels = {}): readonly FieldError[] {
  const path = new FieldPath('metadata.labels')
  return ['enforce', 'audit', 'warn'].flatMap((mode) => {
    const level = labels[`${PREFIX}${mode}`]
    const version = labels[`${PREFIX}${mode}-version`]
    const wrongLevel = level !== undefined && levelOf(level) === undefined
    const wrongVersion = version !== undefined && version !== 'latest' && !VERSION.test(version)
    return [
      ...(wrongLevel ? [invalidValue(path.key(`${PREFIX}${mode}`), level, `must be one of ${LEVELS.join(', ')}`)] : []),
      ...(wrongVersion
        ? [invalidValue(path.key(`${PREFIX}${mode}-version`), version, 'must be "latest" or "v1.x"')]
        : []),
    ]
  })
}
