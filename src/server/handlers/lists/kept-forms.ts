/**
 * What has been made of stored objects, by the bytes of the object, which are as unique as its revision. A form is
 * forgotten with its object; and all of them are, once they are more than is kept: who lists objects in another form
 * than theirs lists all of them, so to forget the oldest one by one would forget each just before it is wanted.
 */

export class KeptForms<Form extends object> {
  #forms = new WeakMap<Uint8Array, Form>()
  /** Of all that was kept since the last time everything was forgotten. */
  #bytes = 0
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(object: Uint8Array): Form | undefined {
    return this.#forms.get(object)
  }

  /** `bytes`: what the form takes, roughly. */
  keep(object: Uint8Array, form: Form, bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      this.#forms = new WeakMap()
      this.#bytes = 0
    }
    this.#forms.set(object, form)
    this.#bytes += bytes
  }
}
