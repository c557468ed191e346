/** What overload has decided, in the form that the hot path reads: plain properties, one read each. */

export class Admission {
  /** New requests are answered 503. */
  shedding = false
  /** Some replies end their connection; `closes` says which. Off for a sidecar that is well. */
  closing = false
  /** Memory is short: mesh connections go too. */
  #closingMesh = false
  /** Requests answered 503 because of it; read at scrape. */
  shed = 0
  /** Connections ended because of it; read at scrape. */
  closed = 0

  /**
   * Whether a reply ends its connection. A late event loop spares mesh TLS: opening such a connection anew costs more
   * than many requests on it.
   */
  closes(meshTls: boolean): boolean {
    if (!this.closing || (meshTls && !this.#closingMesh)) return false
    this.closed++
    return true
  }

  set(decided: { readonly shedding: boolean; readonly closing: 'none' | 'plain' | 'all' }): void {
    this.shedding = decided.shedding
    this.closing = decided.closing !== 'none'
    this.#closingMesh = decided.closing === 'all'
  }
}
