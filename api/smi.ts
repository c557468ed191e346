/** SMI's kinds as weft's CRDs define them: in four versions, between which the injector converts. */
export const convertedCrds = [
  'trafficsplits.split.smi-spec.io',
  'httproutegroups.specs.smi-spec.io',
  'tcproutes.specs.smi-spec.io',
  'traffictargets.access.smi-spec.io',
] as const

/** Where the API server asks the injector for another version. */
export const conversionPath = '/convert'

const bindingForm = /^(access\.smi-spec\.io\/)?IdentityBinding\/(.+)$/s

/**
 * How versions before v1alpha4, which know ServiceAccounts alone, name an IdentityBinding: as a ServiceAccount that cannot
 * be, as names have no slashes. Whoever does not know of it takes it for nobody, and nothing is lost either way.
 */
export function nameOfBinding(name: string, group: string | undefined): string {
  return `${group === undefined ? '' : `${group}/`}IdentityBinding/${name}`
}

/** The binding that is meant by the name of a ServiceAccount; undefined: none. */
export function bindingOfName(
  name: string,
): { readonly name: string; readonly group: string | undefined } | undefined {
  const [, group, binding] = bindingForm.exec(name) ?? []
  return binding === undefined ? undefined : { name: binding, group: group?.slice(0, -1) }
}
