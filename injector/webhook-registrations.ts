/** Everything that makes the API server ask us: the webhook for pods, and the CRDs whose versions we convert. */
import { convertedCrds } from '../api/smi.ts'
import type { InjectorSettings } from './settings.ts'
import type { Registration } from './webhook-registration.ts'

type ClientConfig = {
  readonly caBundle?: string
  readonly service?: { readonly name: string; readonly namespace: string }
}
type Configuration = { readonly webhooks?: readonly { readonly clientConfig?: ClientConfig }[] }
type Crd = {
  readonly spec: {
    readonly conversion?: {
      readonly strategy: string
      readonly webhook?: { readonly clientConfig?: ClientConfig }
    }
  }
}

function withBundle(config: ClientConfig | undefined, change: (caBundle: string) => string): ClientConfig {
  return { ...config, caBundle: change(config?.caBundle ?? '') }
}

function admission(name: string): Registration {
  return {
    name: `MutatingWebhookConfiguration ${name}`,
    path: `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`,
    isOptional: false,
    withBundles: (object, change) => {
      const { webhooks = [] } = object as Configuration
      const withOurs = webhooks.map((webhook) => ({
        ...webhook,
        clientConfig: withBundle(webhook.clientConfig, change),
      }))
      return { ...object, webhooks: withOurs }
    },
  }
}

/** Somebody else's definition of the same kind is left alone. */
function conversion(crd: string, { service, namespace }: InjectorSettings): Registration {
  return {
    name: `CustomResourceDefinition ${crd}`,
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`,
    isOptional: true,
    withBundles: (object, change) => {
      const { spec } = object as Crd
      const { strategy, webhook } = spec.conversion ?? { strategy: 'None' }
      const asked = webhook?.clientConfig?.service
      const isOurs = asked === undefined || (asked.name === service && asked.namespace === namespace)
      if (strategy !== 'Webhook' || !isOurs) return object
      const clientConfig = withBundle(webhook?.clientConfig, change)
      return { ...object, spec: { ...spec, conversion: { strategy, webhook: { ...webhook, clientConfig } } } }
    },
  }
}

export function registrations(settings: InjectorSettings): readonly Registration[] {
  return [admission(settings.webhookConfiguration), ...convertedCrds.map((crd) => conversion(crd, settings))]
}
