/** Who may call whom, judged: what is said about nobody, against everybody, or against those who call now. Pure. */
import type { AccessSummary } from '../../control-plane/model/access-findings.ts'
import { type Check, good, warning } from './check.ts'
import type { SidecarAnswer } from './mesh-facts.ts'

const hints: Readonly<Record<string, string>> = {
  ACCESS_TARGET_UNKNOWN: 'correct its targetRefs or destination, or take it away',
  ACCESS_TARGET_NOT_PERMITTED: "write it in the destination's own namespace",
  ACCESS_VALUE_UNSUPPORTED: 'use a ServiceAccount or an IdentityBinding',
  ACCESS_ROUTE_UNKNOWN: 'make the route that it names, or name another: until then it allows nothing',
  ACCESS_CLIENT_UNKNOWN: 'correct the name, unless the client is still to come',
  ACCESS_NOBODY_ALLOWED: 'add a rule that allows somebody (weft policy POD lists those there are)',
  ACCESS_DENIAL_AVOIDABLE: 'make mtls strict there, or allow those who are meant instead',
  ACCESS_CONTRADICTED: 'say it in one of them, or in one that is closer to the workload',
}

type Answers = ReadonlyMap<string, SidecarAnswer>

const refusedInClear = /^inbound_(?:http|tcp)_authz_deny_total\{([^\n]*)\} ([0-9.e+]+)$/gm

/** Requests and connections that strict mTLS has refused, as a sidecar counts them. */
export function refusedClear(metrics: string): number {
  return [...metrics.matchAll(refusedInClear)]
    .filter(([, labels = '']) => /authz_rule="mtls"|authz_kind="annotation"/.test(labels))
    .reduce((sum, [, , value]) => sum + Number(value), 0)
}

function clearChecks(answers: Answers): readonly Check[] {
  return [...answers].flatMap(([key, { metrics }]) => {
    const refused = metrics?.status === 200 ? refusedClear(metrics.text) : 0
    if (refused === 0) return []
    const text = `${key} takes mesh mTLS only, and has refused ${refused} requests or connections in clear`
    const hint =
      'its access log names the clients: give them a sidecar, or make the policy permissive until they have one'
    return [warning('policy', 'STRICT_REFUSES_CLEAR', text, hint)]
  })
}

/** Nothing where there are no policies, and none are asked for. */
export function policyChecks(facts: {
  readonly access: AccessSummary
  readonly answers: Answers
}): readonly Check[] {
  const { policies, findings, strict } = facts.access
  const single = new Map(findings.map((finding) => [Object.values(finding).join(' '), finding]))
  const troubles = [
    ...[...single.values()].map(({ code, object, message }) =>
      warning('policy', code, `${object}: ${message}`, hints[code] ?? 'correct the object named'),
    ),
    ...clearChecks(facts.answers),
  ]
  if (troubles.length > 0 || (policies === 0 && strict.length === 0)) return troubles
  const text = `${policies === 1 ? 'the one policy is' : `all ${policies} policies are`} about pods and clients that there are`
  return [good('policy', 'POLICIES_MEAN_SOMEBODY', text)]
}
