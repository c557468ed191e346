/** The same question asked of every replica of the control plane: each knows the sidecars that are connected to it. Pure. */
import type { Diagnosis, DiagnosisStep, SidecarFacts } from '../../api/diagnosis.ts'

function sidecarsOf({ sidecar, backends }: Diagnosis): readonly SidecarFacts[] {
  const behind = backends.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.sidecar ?? []))
  return sidecar === null ? behind : [sidecar, ...behind]
}

/** Troubles of every replica but those about who is connected to another one. */
export function mergeDiagnoses(diagnoses: readonly Diagnosis[]): Diagnosis {
  const connected = new Map(
    diagnoses.flatMap(sidecarsOf).map((sidecar) => [`${sidecar.namespace}/${sidecar.pod}`, sidecar]),
  )
  const base = diagnoses.find(({ sidecar }) => sidecar !== null) ?? (diagnoses[0] as Diagnosis)
  const elsewhere = ({ subject }: DiagnosisStep): boolean => subject !== undefined && connected.has(subject)
  return {
    ...base,
    steps: base.steps.filter((step) => !elsewhere(step)),
    backends: base.backends.map((backend) => ({
      ...backend,
      endpoints: backend.endpoints.map((endpoint) => ({
        ...endpoint,
        sidecar: endpoint.sidecar ?? connected.get(endpoint.workload ?? '') ?? null,
      })),
    })),
  }
}
