/** What becomes of a destination's connections, as data. */
export type TcpRoute = {
  /** One is chosen by weight for each connection. */
  readonly clusters: readonly { readonly cluster: string; readonly weight: number }[]
  /** Nobody looks at what is sent. */
  readonly opaque: boolean
}
