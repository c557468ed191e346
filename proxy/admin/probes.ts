/** Answers the kubelet's probes and hooks in the application's place, by asking it; see `api/application-probe.ts`. */
import type { ApplicationProbe } from '../../api/application-probe.ts'
import type { AdminReply, AdminServer } from '../../core/admin-server.ts'
import { reasonOf } from '../../core/errors.ts'
import type { ApplicationAddress, ApplicationAddresses } from '../application-addresses.ts'
import { askHttp } from './ask-http.ts'
import { askTcp } from './ask-tcp.ts'
import { askInTurn, type ProbeAnswer } from './probe-answer.ts'

async function ask(probe: ApplicationProbe, at: ApplicationAddress): Promise<ProbeAnswer> {
  const { port, timeoutSeconds } = probe
  const timeoutMs = timeoutSeconds * 1_000
  if ('httpGet' in probe) return askHttp(at, { ...probe.httpGet, port }, timeoutMs)
  if ('tcpSocket' in probe) return askTcp(at, port, timeoutMs)
  // HTTP/2 is only loaded where a pod is probed by it.
  const { askGrpc } = await import('./ask-grpc.ts')
  return askGrpc(at, port, probe.grpc.service ?? '', timeoutMs)
}

async function answer(
  probe: ApplicationProbe,
  isHook: boolean,
  application: ApplicationAddresses,
): Promise<AdminReply> {
  try {
    return await askInTurn(application, (at) => ask(probe, at))
  } catch (error) {
    // Of a hook the kubelet does not look at the status: only one without any answer has failed.
    return { status: 503, body: `${reasonOf(error)}\n`, cut: isHook }
  }
}

/** Adds a page for each; one that cannot be asked answers 503, or nothing when it is a hook. */
export function addProbes(
  admin: AdminServer,
  probes: ReadonlyMap<string, ApplicationProbe>,
  application: ApplicationAddresses,
): void {
  for (const [path, probe] of probes) {
    const isHook = /\/(postStart|preStop)$/.test(path)
    admin.page('GET', path, () => answer(probe, isHook, application), 'everyone')
  }
}
