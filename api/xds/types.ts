/** Short names for the messages that are used by name. */
import type { Messages } from './messages.ts'

export type Node = Messages['envoy.config.core.v3.Node']
export type Address = Messages['envoy.config.core.v3.Address']
export type Metadata = Messages['envoy.config.core.v3.Metadata']
export type ConfigSource = Messages['envoy.config.core.v3.ConfigSource']
export type TransportSocket = Messages['envoy.config.core.v3.TransportSocket']
export type Duration = Messages['google.protobuf.Duration']

export type Listener = Messages['envoy.config.listener.v3.Listener']
export type FilterChain = Messages['envoy.config.listener.v3.FilterChain']
export type FilterChainMatch = Messages['envoy.config.listener.v3.FilterChainMatch']
export type HttpConnectionManager =
  Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager']
export type TcpProxy = Messages['envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy']

export type RouteConfiguration = Messages['envoy.config.route.v3.RouteConfiguration']
export type VirtualHost = Messages['envoy.config.route.v3.VirtualHost']
export type Route = Messages['envoy.config.route.v3.Route']
export type RetryPolicy = Messages['envoy.config.route.v3.RetryPolicy']
export type RouteMatch = Messages['envoy.config.route.v3.RouteMatch']
export type RouteAction = Messages['envoy.config.route.v3.RouteAction']
export type HeaderMatcher = Messages['envoy.config.route.v3.HeaderMatcher']
export type RedirectAction = Messages['envoy.config.route.v3.RedirectAction']
export type ClusterWeight = Messages['envoy.config.route.v3.WeightedCluster.ClusterWeight']
export type HeaderValueOption = Messages['envoy.config.core.v3.HeaderValueOption']
export type RuntimeFractionalPercent = Messages['envoy.config.core.v3.RuntimeFractionalPercent']
export type RegexMatchAndSubstitute = Messages['envoy.type.matcher.v3.RegexMatchAndSubstitute']
export type Any = Messages['google.protobuf.Any']
export type QueryParameterMatcher = Messages['envoy.config.route.v3.QueryParameterMatcher']
export type StringMatcher = Messages['envoy.type.matcher.v3.StringMatcher']

export type Cluster = Messages['envoy.config.cluster.v3.Cluster']
export type ClusterLoadAssignment = Messages['envoy.config.endpoint.v3.ClusterLoadAssignment']
export type LocalityLbEndpoints = Messages['envoy.config.endpoint.v3.LocalityLbEndpoints']
export type LbEndpoint = Messages['envoy.config.endpoint.v3.LbEndpoint']

export type UpstreamTlsContext = Messages['envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext']
export type DownstreamTlsContext = Messages['envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext']
export type Secret = Messages['envoy.extensions.transport_sockets.tls.v3.Secret']

export type Bootstrap = Messages['envoy.config.bootstrap.v3.Bootstrap']

export type DiscoveryRequest = Messages['envoy.service.discovery.v3.DiscoveryRequest']
export type DiscoveryResponse = Messages['envoy.service.discovery.v3.DiscoveryResponse']
export type DeltaDiscoveryRequest = Messages['envoy.service.discovery.v3.DeltaDiscoveryRequest']
export type DeltaDiscoveryResponse = Messages['envoy.service.discovery.v3.DeltaDiscoveryResponse']
export type Resource = Messages['envoy.service.discovery.v3.Resource']
