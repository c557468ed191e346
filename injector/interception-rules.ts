/** What redirects a workload's connections to its sidecar: iptables rules in the form that iptables-restore reads. Pure. */
import type { PortRange } from '../core/port-ranges.ts'
import { formatSubnet, type Subnet } from '../core/subnet.ts'

export type Interception = {
  /** Where the sidecar takes what others send to the workload. */
  readonly inboundPort: number
  /** Where it takes what the workload sends. */
  readonly outboundPort: number
  /** The sidecar's own pages, which are asked for as they are. */
  readonly adminPort: number
  /** The user that the sidecar runs as. */
  readonly proxyUid: number
  /** Ports of the workload that are reached past the sidecar. */
  readonly skipInboundPorts: readonly PortRange[]
  /** Ports that the workload reaches past its sidecar. */
  readonly skipOutboundPorts: readonly PortRange[]
  /** Networks that the workload reaches past its sidecar. */
  readonly skipSubnets: readonly Subnet[]
  /** Interfaces whose connections pass the sidecar, in both directions; `net+` is all that begin so. */
  readonly skipInterfaces: readonly string[]
}

export type IpFamily = 4 | 6

export const inboundChain = 'WEFT_INBOUND'
export const outboundChain = 'WEFT_OUTBOUND'

const loopbacks: Readonly<Record<IpFamily, string>> = { 4: '127.0.0.0/8', 6: '::1/128' }
/** From where the sidecar connects to the workload (proxy/application-addresses.ts). */
const towardsWorkload: Readonly<Record<IpFamily, readonly string[]>> = {
  4: [loopbacks[4]],
  6: [loopbacks[6], 'fe80::/10'],
}

function ports({ from, to }: PortRange): string {
  return `-p tcp --dport ${from === to ? from : `${from}:${to}`}`
}

function redirect(port: number): string {
  return `-p tcp -j REDIRECT --to-ports ${port}`
}

function inboundRules(plan: Interception): readonly string[] {
  const { inboundPort, adminPort, skipInboundPorts, skipInterfaces } = plan
  const passed = [...skipInboundPorts, { from: adminPort, to: adminPort }]
  return [
    ...skipInterfaces.map((name) => `-i ${name} -j RETURN`),
    ...passed.map((range) => `${ports(range)} -j RETURN`),
    redirect(inboundPort),
  ]
}

function outboundRules(plan: Interception, family: IpFamily): readonly string[] {
  const ofSidecar = `-m owner --uid-owner ${plan.proxyUid}`
  const subnets = plan.skipSubnets.filter((subnet) => subnet.family === family)
  return [
    // What has come in is on its way to the workload.
    ...towardsWorkload[family].map((source) => `${ofSidecar} -o lo -s ${source} -j RETURN`),
    // The workload called itself through its Service: what its sidecar sends then comes in like anybody's call.
    ...plan.skipInboundPorts.map((range) => `${ofSidecar} -o lo ${ports(range)} -j RETURN`),
    `${ofSidecar} -o lo ! -d ${loopbacks[family]} ${redirect(plan.inboundPort)}`,
    // Everything else of the sidecar's would come back to it for ever.
    `${ofSidecar} -j RETURN`,
    // The workload talks to itself, by loopback or by its own address.
    '-o lo -j RETURN',
    ...plan.skipInterfaces.map((name) => `-o ${name} -j RETURN`),
    ...subnets.map((subnet) => `-d ${formatSubnet(subnet)} -j RETURN`),
    ...plan.skipOutboundPorts.map((range) => `${ports(range)} -j RETURN`),
    redirect(plan.outboundPort),
  ]
}

/** Where the chains are entered. Only TCP: DNS and all other UDP are left alone. */
const entries = [
  ['PREROUTING', inboundChain],
  ['OUTPUT', outboundChain],
] as const

/** The entries of an earlier run, as `iptables-save` tells them. */
function staleEntries(saved: string): readonly string[] {
  const lines = saved.split('\n').map((line) => line.trim())
  return lines.filter((line) =>
    entries.some(([from, chain]) => line.startsWith(`-A ${from} `) && line.endsWith(`-j ${chain}`)),
  )
}

/**
 * Input for `iptables-restore --noflush`, or ip6tables' for family 6. `saved` is what `iptables-save -t nat` says now:
 * what an earlier run has set is replaced, in the same step, and nothing else is touched.
 */
export function restoreScript(plan: Interception, family: IpFamily, saved: string): string {
  return [
    '*nat',
    // Declaring a chain empties it.
    ...entries.map(([, chain]) => `:${chain} - [0:0]`),
    ...staleEntries(saved).map((line) => line.replace(/^-A/, '-D')),
    ...inboundRules(plan).map((rule) => `-A ${inboundChain} ${rule}`),
    ...outboundRules(plan, family).map((rule) => `-A ${outboundChain} ${rule}`),
    ...entries.map(([from, chain]) => `-A ${from} -p tcp -j ${chain}`),
    'COMMIT',
    '',
  ].join('\n')
}
