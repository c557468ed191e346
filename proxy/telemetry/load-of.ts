/** What load some numbers are of, for reports to the control plane. */
export type LoadOf = {
  /** The name that clients asked for. */
  readonly apex: string
  /** The cluster that served. */
  readonly backend: string
  readonly zone: string
  readonly meshTls: boolean
}

/** undefined: what the configuration does not name is not reported. */
export function loadOf(apex: string, backend: string, zone: string, meshTls: boolean): LoadOf | undefined {
  return apex === '' ? undefined : { apex, backend, zone, meshTls }
}
