/**
 * Whether an endpoint is in use, and what its last exchanges told. One that cannot be connected to is left out from the
 * first time on and tried again soon; one that fails its requests is left out by outlier detection.
 */
export class EndpointHealth {
  state: 'in-use' | 'unreachable' | 'ejected' = 'in-use'
  /** When one request may find out how it is now; that request puts it off again, in case it never comes back. */
  probeMs = 0
  /** When the last such request went, while the verdict is out. */
  probingSinceMs = Number.POSITIVE_INFINITY
  /** How long it stays out of use because it could not be connected to; doubles. */
  restMs = 0
  connectFailedMs = Number.NEGATIVE_INFINITY
  /** How often it was ejected; forgotten one by one while it is in use. */
  ejections = 0
  ejectionMs = 0
  returnedMs = 0
  failuresInARow = 0
  gatewayFailuresInARow = 0
  localFailuresInARow = 0
  /** Since the last analysis. */
  requests = 0
  successes = 0

  get inUse(): boolean {
    return this.state === 'in-use'
  }

  /** Begins to count anew. */
  clear(): void {
    this.failuresInARow = 0
    this.gatewayFailuresInARow = 0
    this.localFailuresInARow = 0
    this.requests = 0
    this.successes = 0
  }
}
