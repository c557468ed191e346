/** TLS contexts that name files: own certificate, the peer's roots and the names that a peer may show. */
import type { DownstreamTlsContext, UpstreamTlsContext } from '../../api/xds/types.ts'
import type { Messages } from '../../api/xds/messages.ts'
import type { Problems } from '../xds/problems.ts'

type CommonTlsContext = Messages['envoy.extensions.transport_sockets.tls.v3.CommonTlsContext']
type DataSource = Messages['envoy.config.core.v3.DataSource']

/** PEM, as text or as the file that holds it. */
export type Pem = { readonly file: string } | { readonly text: string }

/** A URI name that the peer may show: the whole of it, or how it begins. */
export type NameMatch = { readonly kind: 'exact' | 'prefix'; readonly value: string }

export type TlsSettings = {
  readonly certificate: Pem | undefined
  readonly key: Pem | undefined
  readonly roots: Pem | undefined
  /** Empty: any name that the roots vouch for. */
  readonly peerNames: readonly NameMatch[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Protocols to offer; empty: no ALPN. */
  readonly alpn: readonly string[]
  readonly serverName: string | undefined
}

export type DownstreamTlsSettings = TlsSettings & { readonly requireClientCertificate: boolean }

function pemOf(source: DataSource | undefined): Pem | undefined {
  if (source?.filename !== undefined) return { file: source.filename }
  if (source?.inlineString !== undefined) return { text: source.inlineString }
  return source?.inlineBytes === undefined ? undefined : { text: Buffer.from(source.inlineBytes).toString() }
}

function nameMatches(context: CommonTlsContext, path: string, problems: Problems): NameMatch[] {
  const typed = context.validationContext?.matchTypedSubjectAltNames ?? []
  if (context.validationContext?.matchSubjectAltNames !== undefined)
    problems.add(`${path}.validation_context.match_subject_alt_names`, 'is not supported: use the typed form')
  return typed.flatMap((entry, i): NameMatch[] => {
    const at = `${path}.validation_context.match_typed_subject_alt_names[${i}]`
    if (entry.sanType !== 'URI') problems.add(`${at}.san_type`, 'must be URI')
    const { exact, prefix } = entry.matcher ?? {}
    if (exact !== undefined) return [{ kind: 'exact', value: exact }]
    if (prefix !== undefined) return [{ kind: 'prefix', value: prefix }]
    problems.add(`${at}.matcher`, 'must be exact or prefix')
    return []
  })
}

function version(named: string | undefined, usual: 'TLSv1.2' | 'TLSv1.3', path: string, problems: Problems) {
  if (named === undefined || named === 'TLS_AUTO') return usual
  if (named === 'TLSv1_3') return 'TLSv1.3'
  if (named !== 'TLSv1_2') problems.add(path, `${named} is not safe any more`)
  return 'TLSv1.2'
}

function decodeCommon(context: CommonTlsContext | undefined, path: string, problems: Problems): TlsSettings {
  const common = context ?? {}
  const certificates = common.tlsCertificates ?? []
  if (certificates.length > 1) problems.add(`${path}.tls_certificates`, 'must be one')
  for (const [name, value] of [
    ['tls_certificate_sds_secret_configs', common.tlsCertificateSdsSecretConfigs],
    ['tls_certificate_provider_instance', common.tlsCertificateProviderInstance],
    ['validation_context_sds_secret_config', common.validationContextSdsSecretConfig],
    ['combined_validation_context', common.combinedValidationContext],
  ] as const) {
    if (value !== undefined)
      problems.add(`${path}.${name}`, 'is not supported in a bootstrap file: name files')
  }
  const certificate = pemOf(certificates[0]?.certificateChain)
  const key = pemOf(certificates[0]?.privateKey)
  if ((certificate === undefined) !== (key === undefined))
    problems.add(`${path}.tls_certificates[0]`, 'needs both certificate_chain and private_key')
  const protocols = common.alpnProtocols ?? []
  const alpn = protocols.filter((name) => name === 'http/1.1' || name === 'h2' || name.startsWith('weft-'))
  if (protocols.length > 0 && alpn.length === 0)
    problems.add(`${path}.alpn_protocols`, 'offers no protocol that weft speaks (h2, http/1.1)')
  const params = common.tlsParams
  return {
    certificate,
    key,
    roots: pemOf(common.validationContext?.trustedCa),
    peerNames: nameMatches(common, path, problems),
    minVersion: version(params?.tlsMinimumProtocolVersion, 'TLSv1.2', `${path}.tls_params`, problems),
    maxVersion: version(params?.tlsMaximumProtocolVersion, 'TLSv1.3', `${path}.tls_params`, problems),
    alpn,
    serverName: undefined,
  }
}

/** A client's side. Without roots nothing would be verified: that is refused. */
export function decodeUpstreamTls(
  context: UpstreamTlsContext,
  path: string,
  problems: Problems,
): TlsSettings {
  const settings = decodeCommon(context.commonTlsContext, `${path}.common_tls_context`, problems)
  if (settings.roots === undefined)
    problems.add(
      `${path}.common_tls_context.validation_context.trusted_ca`,
      'is missing: no peer could be verified',
    )
  return { ...settings, serverName: context.sni }
}

/** A server's side. */
export function decodeDownstreamTls(
  context: DownstreamTlsContext,
  path: string,
  problems: Problems,
): DownstreamTlsSettings {
  const settings = decodeCommon(context.commonTlsContext, `${path}.common_tls_context`, problems)
  const requireClientCertificate = context.requireClientCertificate?.value === true
  if (settings.certificate === undefined)
    problems.add(`${path}.common_tls_context.tls_certificates`, 'is missing')
  if (requireClientCertificate && settings.roots === undefined)
    problems.add(
      `${path}.common_tls_context.validation_context.trusted_ca`,
      'is missing: no client could be verified',
    )
  return { ...settings, requireClientCertificate }
}
