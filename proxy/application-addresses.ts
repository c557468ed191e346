/** Where the application of this sidecar is asked, and from where. */
import { networkInterfaces } from 'node:os'
import { WeftError } from '../core/errors.ts'
import type { InboundPort } from './cluster/cluster-config.ts'

export type ApplicationAddress = {
  readonly host: string
  /** The address of this machine to connect from; undefined: as the kernel likes. */
  readonly from: string | undefined
}

/** Tried in this order. */
export type ApplicationAddresses = readonly [ApplicationAddress, ...ApplicationAddress[]]

export const onLoopback: ApplicationAddresses = [{ host: '127.0.0.1', from: undefined }]

/** Nobody trusts it as databases do 127.0.0.1. */
const ipv4Source = '127.0.0.6'
/** Where a link has no address of its own: refusals do not come back to it, so that they are waited for. */
const ipv6Source = '::1'

const isOfLink = (address: string): boolean => /^fe[89ab]/.test(address)

type Interfaces = ReturnType<typeof networkInterfaces>
type Interface = NonNullable<Interfaces[string]>[number]

/**
 * By its source a connection to the pod's own address is known not to be the workload calling itself, and is not redirected
 * (injector/interception-rules.ts).
 */
function sourceFor(family: Interface['family'], name: string, entries: readonly Interface[]): string {
  if (family === 'IPv4') return ipv4Source
  const ofLink = entries.find(({ address }) => isOfLink(address))
  return ofLink === undefined ? ipv6Source : `${ofLink.address}%${name}`
}

/**
 * A redirected pod's own addresses, IPv4 first: what listens there, or on all addresses, is what others reached before
 * there was a sidecar, and what listens on loopback stays the pod's own affair. On a machine without any: loopback.
 */
export function ofPod(interfaces: Interfaces = networkInterfaces()): ApplicationAddresses {
  const of = (family: Interface['family']): readonly ApplicationAddress[] =>
    Object.entries(interfaces).flatMap(([name, entries = []]) =>
      entries
        .filter((entry) => entry.family === family && !entry.internal && !isOfLink(entry.address))
        .map(({ address: host }) => ({ host, from: sourceFor(family, name, entries) })),
    )
  const [first, ...others] = [...of('IPv4'), ...of('IPv6')]
  return first === undefined ? onLoopback : [first, ...others]
}

/** As Node's options have it. */
export function localAddressOf({ from }: ApplicationAddress): { readonly localAddress?: string } {
  return from === undefined ? {} : { localAddress: from }
}

/** Of a port: where it says, or where redirected ones are. */
export function addressesOf(
  { listen, applicationHost }: Pick<InboundPort, 'listen' | 'applicationHost'>,
  redirected: ApplicationAddresses,
): ApplicationAddresses {
  return listen === undefined ? redirected : [{ host: applicationHost, from: undefined }]
}

/** Whether a redirected connection is one of ours to the application, which rules of another version have brought back. */
export function loopBy(peer: string, redirected: ApplicationAddresses): WeftError | undefined {
  if (!redirected.some(({ from }) => from === peer)) return undefined
  const what = `what is sent to the application from ${peer} comes back`
  return new WeftError('LOOP_DETECTED', `${what}: the rules of redirection are of another version`)
}
