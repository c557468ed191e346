/** Which mesh the user means. */
import { type Command, Option } from 'commander'
import { ports } from '../../api/ports.ts'
import { usualTapAccount } from './tap-token.ts'

export type ConnectionOptions = {
  /** Of the admin server, given by the user. */
  readonly controlPlane?: string
  readonly kubeconfig?: string
}

/** Where a control plane on this machine, and the demo's, is looked for. */
export const usualAddress = `127.0.0.1:${ports.controlPlaneAdmin}`

/** Adds `--control-plane` and `--kubeconfig`. */
export function withConnection(command: Command): Command {
  return command
    .option('--control-plane <address>', `its admin server (default: ${usualAddress}, else by kubeconfig)`)
    .option('--kubeconfig <file>', 'reach the control plane through the API server that it names')
}

/** `--account`, of commands that tap. */
export function tapAccountOption(): Option {
  return new Option(
    '--account <namespace/name>',
    'in a cluster: tap with the rights of this ServiceAccount, whose token you may make',
  ).default(usualTapAccount)
}
