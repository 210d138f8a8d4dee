/**
 * MutatingAdmissionWebhook: webhooks that change what a request writes, one after the other. When one changes an
 * object that others have seen before it, those that want to see it again do so in a second round.
 */

import { mutatingWebhookConfigurations } from '../../../apis/admissionregistration/mutating-webhook-configuration.ts'
import type { MutatingWebhook, MutatingWebhookConfiguration } from '../../../apis/admissionregistration/types.gen.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import { oncePer } from '../../../base/lru.ts'
import { internalError } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { type Rounds, RoundsOfChain } from '../rounds.ts'
import { askWebhook, type Hook, hooksOf, orPolicy, subjectFor, type WebhookParts } from './ask-webhook.ts'
import { isExempt } from './matching.ts'
import { patchedObject } from './patched-object.ts'
import { type ReviewSubject, rejection } from './review.ts'

export function mutatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  const memories = new WeakMap<Rounds, Memory>()
  const memoryOf = (rounds: Rounds): Memory => {
    const memory = memories.get(rounds) ?? { asked: new Set(), again: new Set(), left: undefined }
    memories.set(rounds, memory)
    return memory
  }
  /** The object as the webhooks want it. */
  const asked = (attributes: AdmissionAttributes, rounds: Rounds): Awaitable<KubeObject | undefined> =>
    isExempt(attributes)
      ? attributes.object
      : whenThere(parts.view.list(mutatingWebhookConfigurations), (configurations) => {
          const hooks = hooksIn(configurations)
          if (hooks.length === 0) return attributes.object
          return askAll(hooks, attributes, { parts, rounds, memory: memoryOf(rounds) })
        })
  return {
    name: 'MutatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    mutate: (attributes, object, rounds) => whenThere(asked(attributes, rounds), (wanted) => wanted ?? object),
    // What is deleted is no longer changed; these webhooks see it nevertheless, and may refuse.
    validate(attributes) {
      if (attributes.operation !== 'DELETE') return undefined
      return whenThere(asked(attributes, new RoundsOfChain()), () => {})
    },
  }
}

const hooksIn = oncePer((configurations: readonly MutatingWebhookConfiguration[]) => hooksOf(configurations))

/** What is remembered of one request. */
interface Memory {
  /** Webhooks that were asked, and want to be asked again when the object changes after that. */
  readonly asked: Set<string>
  /** Those of them for which it did. */
  readonly again: Set<string>
  /** The object as the first round left it. */
  left: KubeObject | undefined
}

interface Run {
  readonly parts: WebhookParts
  readonly rounds: Rounds
  readonly memory: Memory
}

async function askAll(
  hooks: readonly Hook<MutatingWebhook>[],
  attributes: AdmissionAttributes,
  { parts, rounds, memory }: Run,
): Promise<KubeObject | undefined> {
  let { object } = attributes
  if (rounds.current === 'second' && !deepEqual(object, memory.left)) askAgain(memory)
  for (const [index, hook] of hooks.entries()) {
    if (rounds.current === 'second' && !memory.again.has(hook.id)) continue
    const current = object === attributes.object ? attributes : { ...attributes, object }
    const subject = await subjectFor(hook.webhook, current, parts)
    if (subject === undefined) continue
    const call = `round_${rounds.current === 'second' ? 1 : 0}_index_${index}`
    const wanted = await ask(hook, subject, call, parts).catch((error: unknown) => {
      auditMutation(attributes, hook, call, false)
      throw error
    })
    const isChanged = wanted !== undefined && !deepEqual(wanted, object)
    auditMutation(attributes, hook, call, isChanged)
    if (isChanged) {
      object = deepFreeze(wanted)
      askAgain(memory)
      rounds.askForSecond()
    }
    if (hook.webhook.reinvocationPolicy === 'IfNeeded') memory.asked.add(hook.id)
  }
  memory.left = object
  return object
}

function askAgain({ asked, again }: Memory): void {
  for (const id of asked) again.add(id)
  asked.clear()
}

/** The object as this webhook wants it; undefined: it wants nothing. */
function ask(
  { webhook, configuration }: Hook<MutatingWebhook>,
  subject: ReviewSubject,
  call: string,
  parts: WebhookParts,
): Promise<KubeObject | undefined> {
  const { audit } = subject.attributes
  const key = `failed-open.mutation.webhook.admission.k8s.io/${call}`
  return orPolicy(webhook, subject.attributes, { log: parts.log, key }, async () => {
    const review = () => askWebhook(webhook, subject, true, parts)
    const answer = await (audit?.timed('mutating-webhook', review) ?? review())
    if (!answer.allowed) throw rejection(webhook.name, answer.result)
    if (answer.patch === undefined || isEmptyList(answer.patch)) return undefined
    if (subject.object === undefined) {
      const name = JSON.stringify(webhook.name)
      const detail = 'attempted to modify the object, which is not supported for this operation'
      throw internalError(`admission webhook ${name} ${detail}`)
    }
    const patched = await patchedObject(subject, subject.object, answer.patch, parts.convert)
    const patch = { configuration, webhook: webhook.name, patch: answer.patch, patchType: 'JSONPatch' }
    // A patch is a part of the object.
    audit?.annotate(`patch.webhook.admission.k8s.io/${call}`, JSON.stringify(patch), 'Request')
    return patched
  })
}

/** `call` says which one of the request it was. */
function auditMutation(
  { audit }: AdmissionAttributes,
  { webhook, configuration }: Hook<MutatingWebhook>,
  call: string,
  mutated: boolean,
): void {
  if (audit === undefined) return
  const text = JSON.stringify({ configuration, webhook: webhook.name, mutated })
  audit.annotate(`mutation.webhook.admission.k8s.io/${call}`, text)
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
