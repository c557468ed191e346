/** What is wrong with the configuration as a whole: logged once when it appears, kept for the admin page. */
import type { Log } from '../core/log.ts'
import { externalNameFindings } from './model/external-name.ts'
import type { Finding } from './model/finding.ts'
import type { MeshModel } from './model/mesh-model.ts'
import { routeFindings } from './model/route-findings.ts'
import { policyFindings } from './model/traffic.ts'

export class Findings {
  readonly #model: MeshModel
  readonly #log: Log
  readonly #byService = new Map<string, readonly Finding[]>()

  constructor(model: MeshModel, log: Log) {
    this.#model = model
    this.#log = log
  }

  /** Looks anew at the services that a change touched. */
  update(services: ReadonlySet<string>): void {
    for (const key of services) {
      const before = new Set(
        (this.#byService.get(key) ?? []).map((finding) => finding.object + finding.message),
      )
      const findings = this.#of(key)
      if (findings.length === 0) this.#byService.delete(key)
      else this.#byService.set(key, findings)
      for (const { code, object, message } of findings) {
        if (!before.has(object + message)) this.#log.warn({ code, object }, message)
      }
    }
  }

  all(): readonly Finding[] {
    return [...this.#byService.values()].flat()
  }

  #of(key: string): readonly Finding[] {
    const findings = [
      ...routeFindings(this.#model, key),
      ...policyFindings(this.#model, key),
      ...externalNameFindings(this.#model, key),
    ]
    return [...new Map(findings.map((finding) => [finding.object + finding.message, finding])).values()]
  }
}
