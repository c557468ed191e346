/** Something in the configuration that could not be honoured as it stands; shown in the log and on /findings. */
export type Finding = {
  /** A stable word for it. */
  readonly code: string
  readonly object: string
  readonly message: string
}
