/** `weft init`: redirects the connections of this network namespace to its sidecar, by iptables; once, before both start. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ports, sidecarUid } from '../api/ports.ts'
import { reasonOf, WeftError } from '../core/errors.ts'
import { runMain } from '../core/main-guard.ts'
import { asksForHelp, readSettings, settingsHelp, type SettingsTable } from '../core/settings.ts'
import { type Interception, type IpFamily, restoreScript } from '../injector/interception-rules.ts'

export const initSettings = {
  inboundPort: {
    flag: '--inbound-port',
    env: 'WEFT_INBOUND_PORT',
    kind: 'port',
    default: String(ports.inbound),
    help: 'where the sidecar takes what others send to the workload',
  },
  outboundPort: {
    flag: '--outbound-port',
    env: 'WEFT_OUTBOUND_PORT',
    kind: 'port',
    default: String(ports.outbound),
    help: 'where the sidecar takes what the workload sends',
  },
  adminPort: {
    flag: '--admin-port',
    env: 'WEFT_ADMIN_PORT',
    kind: 'port',
    default: String(ports.sidecarAdmin),
    help: "the sidecar's own pages, which are never redirected",
  },
  proxyUid: {
    flag: '--proxy-uid',
    env: 'WEFT_PROXY_UID',
    kind: 'integer',
    min: 1,
    default: String(sidecarUid),
    help: 'the user that the sidecar runs as; its own connections are not redirected',
  },
  skipInboundPorts: {
    flag: '--skip-inbound-ports',
    env: 'WEFT_SKIP_INBOUND_PORTS',
    kind: 'ports',
    default: '',
    help: 'ports of the workload that are reached past the sidecar, e.g. 25,4567-4568',
  },
  skipOutboundPorts: {
    flag: '--skip-outbound-ports',
    env: 'WEFT_SKIP_OUTBOUND_PORTS',
    kind: 'ports',
    default: '',
    help: 'ports that the workload reaches past its sidecar',
  },
  skipSubnets: {
    flag: '--skip-subnets',
    env: 'WEFT_SKIP_SUBNETS',
    kind: 'subnets',
    default: '',
    help: 'networks that the workload reaches past its sidecar, e.g. 10.1.0.0/16,fd00::/8',
  },
  skipInterfaces: {
    flag: '--skip-interfaces',
    env: 'WEFT_SKIP_INTERFACES',
    kind: 'interfaces',
    default: '',
    help: 'network interfaces whose connections pass the sidecar in both directions, e.g. eth1,net+',
  },
  iptables: {
    flag: '--iptables',
    env: 'WEFT_IPTABLES',
    kind: 'choice',
    choices: ['default', 'nft', 'legacy'],
    default: 'default',
    help: 'which iptables: the one of that name, iptables-nft or iptables-legacy',
  },
  dryRun: {
    flag: '--dry-run',
    env: 'WEFT_DRY_RUN',
    kind: 'boolean',
    default: 'false',
    help: 'print the rules instead of setting them; needs no rights',
  },
} as const satisfies SettingsTable

type Variant = 'default' | 'nft' | 'legacy'

/** `iptables-restore`, `ip6tables-legacy-save` ... */
function command(family: IpFamily, variant: Variant, action: 'save' | 'restore'): string {
  const base = family === 4 ? 'iptables' : 'ip6tables'
  return [base, ...(variant === 'default' ? [] : [variant]), action].join('-')
}

/** Runs to the end and gives the output. Throws INTERCEPTION_FAILED with the first line of what it complains of. */
function run(name: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, encoding: 'utf8' })
  if (error !== undefined)
    throw new WeftError('INTERCEPTION_FAILED', `${name} cannot be run: ${reasonOf(error)}`, { cause: error })
  if (status === 0) return stdout
  throw new WeftError('INTERCEPTION_FAILED', `${name}: ${stderr.trim().split('\n')[0] ?? `status ${status}`}`)
}

/** Of this machine and of a link, as /proc/net/if_inet6 writes them: nobody else is reached from these. */
const localScopes: readonly string[] = ['10', '20']

type Ipv6Use = 'none' | 'local' | 'others'

/** What this namespace's IPv6 addresses are good for. */
function ipv6Use(): Ipv6Use {
  let text: string
  try {
    text = readFileSync('/proc/net/if_inet6', 'utf8').trim()
  } catch {
    // The kernel has no IPv6.
    return 'none'
  }
  if (text === '') return 'none'
  const scopes = text.split('\n').map((line) => line.trim().split(/ +/)[3] ?? '')
  return scopes.every((scope) => localScopes.includes(scope)) ? 'local' : 'others'
}

/** In one step per family: there is no moment with half of the rules. `--wait` is for another iptables that runs just now. */
function apply(plan: Interception, family: IpFamily, variant: Variant): void {
  const saved = run(command(family, variant, 'save'), ['-t', 'nat'])
  run(command(family, variant, 'restore'), ['--noflush', '--wait', '5'], restoreScript(plan, family, saved))
}

/** Whether it is. Throws INTERCEPTION_FAILED where others can be reached by IPv6: they would be past the sidecar. */
function redirectIpv6(plan: Interception, variant: Variant): boolean {
  const use = ipv6Use()
  if (use === 'none') return false
  try {
    apply(plan, 6, variant)
    return true
  } catch (error) {
    if (use === 'others') throw error
    // Many kernels have no NAT for IPv6, and many networks no IPv6.
    process.stderr.write(`IPv6 is not redirected, nor used: ${reasonOf(error)}\n`)
    return false
  }
}

/** Throws CONFIG_INVALID or INTERCEPTION_FAILED; then IPv4 may be redirected and IPv6 not, and running it again is safe. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(`Usage: weft init [settings]\n\n${settingsHelp(initSettings)}`)
    return
  }
  const { iptables, dryRun, ...plan } = readSettings(initSettings, { args, env })
  if (dryRun) {
    for (const family of [4, 6] as const)
      process.stdout.write(
        `# ${command(family, iptables, 'restore')} --noflush\n${restoreScript(plan, family, '')}`,
      )
    return
  }
  apply(plan, 4, iptables)
  const redirected = redirectIpv6(plan, iptables) ? 'IPv4 and IPv6' : 'IPv4'
  process.stdout.write(
    `${redirected}: inbound connections go to port ${plan.inboundPort}, outbound ones to ${plan.outboundPort}\n`,
  )
}

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
