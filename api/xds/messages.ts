/** Made by api/proto/build.ts from the .proto files; do not edit. */

/** Every message by its full name. */
export interface Messages {
  'envoy.config.bootstrap.v3.Bootstrap': {
    readonly node?: Messages['envoy.config.core.v3.Node'] | undefined
    readonly staticResources?: Messages['envoy.config.bootstrap.v3.Bootstrap.StaticResources'] | undefined
    readonly dynamicResources?: Messages['envoy.config.bootstrap.v3.Bootstrap.DynamicResources'] | undefined
    readonly admin?: Messages['envoy.config.bootstrap.v3.Admin'] | undefined
  }
  'envoy.config.bootstrap.v3.Bootstrap.StaticResources': {
    readonly listeners?: readonly (Messages['envoy.config.listener.v3.Listener'])[] | undefined
    readonly clusters?: readonly (Messages['envoy.config.cluster.v3.Cluster'])[] | undefined
    readonly secrets?: readonly (Messages['envoy.extensions.transport_sockets.tls.v3.Secret'])[] | undefined
  }
  'envoy.config.bootstrap.v3.Bootstrap.DynamicResources': {
    readonly ldsConfig?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
    readonly cdsConfig?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
    readonly adsConfig?: Messages['envoy.config.core.v3.ApiConfigSource'] | undefined
  }
  'envoy.config.bootstrap.v3.Admin': {
    readonly address?: Messages['envoy.config.core.v3.Address'] | undefined
  }
  'envoy.config.cluster.v3.CircuitBreakers': {
    readonly thresholds?: readonly (Messages['envoy.config.cluster.v3.CircuitBreakers.Thresholds'])[] | undefined
    readonly perHostThresholds?: readonly (Messages['envoy.config.cluster.v3.CircuitBreakers.Thresholds'])[] | undefined
  }
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds': {
    readonly priority?: 'DEFAULT' | 'HIGH' | undefined
    readonly maxConnections?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly maxPendingRequests?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly maxRequests?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly maxRetries?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly retryBudget?: Messages['envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget'] | undefined
  }
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget': {
    readonly budgetPercent?: Messages['envoy.type.v3.Percent'] | undefined
    readonly minRetryConcurrency?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.cluster.v3.OutlierDetection': {
    readonly consecutive_5xx?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly interval?: Messages['google.protobuf.Duration'] | undefined
    readonly baseEjectionTime?: Messages['google.protobuf.Duration'] | undefined
    readonly maxEjectionPercent?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly enforcingConsecutive_5xx?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly enforcingSuccessRate?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly successRateMinimumHosts?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly successRateRequestVolume?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly successRateStdevFactor?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly consecutiveGatewayFailure?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly enforcingConsecutiveGatewayFailure?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly splitExternalLocalOriginErrors?: boolean | undefined
    readonly consecutiveLocalOriginFailure?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly enforcingConsecutiveLocalOriginFailure?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly failurePercentageThreshold?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly enforcingFailurePercentage?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly failurePercentageMinimumHosts?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly failurePercentageRequestVolume?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly maxEjectionTime?: Messages['google.protobuf.Duration'] | undefined
    readonly maxEjectionTimeJitter?: Messages['google.protobuf.Duration'] | undefined
    readonly alwaysEjectOneHost?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.config.cluster.v3.Cluster': {
    readonly name?: string | undefined
    readonly altStatName?: string | undefined
    readonly type?: 'STATIC' | 'STRICT_DNS' | 'LOGICAL_DNS' | 'EDS' | 'ORIGINAL_DST' | undefined
    readonly edsClusterConfig?: Messages['envoy.config.cluster.v3.Cluster.EdsClusterConfig'] | undefined
    readonly connectTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly lbPolicy?: 'ROUND_ROBIN' | 'LEAST_REQUEST' | 'RING_HASH' | 'RANDOM' | 'MAGLEV' | 'CLUSTER_PROVIDED' | 'LOAD_BALANCING_POLICY_CONFIG' | undefined
    readonly loadAssignment?: Messages['envoy.config.endpoint.v3.ClusterLoadAssignment'] | undefined
    readonly circuitBreakers?: Messages['envoy.config.cluster.v3.CircuitBreakers'] | undefined
    readonly outlierDetection?: Messages['envoy.config.cluster.v3.OutlierDetection'] | undefined
    readonly transportSocket?: Messages['envoy.config.core.v3.TransportSocket'] | undefined
    readonly transportSocketMatches?: readonly (Messages['envoy.config.cluster.v3.Cluster.TransportSocketMatch'])[] | undefined
    readonly metadata?: Messages['envoy.config.core.v3.Metadata'] | undefined
    readonly lrsServer?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
    readonly typedExtensionProtocolOptions?: { readonly [key: string]: Messages['google.protobuf.Any'] } | undefined
    readonly commonLbConfig?: Messages['envoy.config.cluster.v3.Cluster.CommonLbConfig'] | undefined
    readonly ringHashLbConfig?: Messages['envoy.config.cluster.v3.Cluster.RingHashLbConfig'] | undefined
    readonly maglevLbConfig?: Messages['envoy.config.cluster.v3.Cluster.MaglevLbConfig'] | undefined
    readonly leastRequestLbConfig?: Messages['envoy.config.cluster.v3.Cluster.LeastRequestLbConfig'] | undefined
    readonly roundRobinLbConfig?: Messages['envoy.config.cluster.v3.Cluster.RoundRobinLbConfig'] | undefined
    readonly loadBalancingPolicy?: Messages['envoy.config.cluster.v3.LoadBalancingPolicy'] | undefined
    readonly upstreamConnectionOptions?: Messages['envoy.config.cluster.v3.UpstreamConnectionOptions'] | undefined
    readonly dnsLookupFamily?: 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL' | undefined
    readonly dnsRefreshRate?: Messages['google.protobuf.Duration'] | undefined
    readonly respectDnsTtl?: boolean | undefined
  }
  'envoy.config.cluster.v3.Cluster.EdsClusterConfig': {
    readonly edsConfig?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
    readonly serviceName?: string | undefined
  }
  'envoy.config.cluster.v3.Cluster.TransportSocketMatch': {
    readonly name?: string | undefined
    readonly match?: Messages['google.protobuf.Struct'] | undefined
    readonly transportSocket?: Messages['envoy.config.core.v3.TransportSocket'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.CommonLbConfig': {
    readonly healthyPanicThreshold?: Messages['envoy.type.v3.Percent'] | undefined
    readonly zoneAwareLbConfig?: Messages['envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig'] | undefined
    readonly localityWeightedLbConfig?: Messages['envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig': {
    readonly routingEnabled?: Messages['envoy.type.v3.Percent'] | undefined
    readonly minClusterSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly failTrafficOnPanic?: boolean | undefined
  }
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig': { readonly [key: string]: never }
  'envoy.config.cluster.v3.Cluster.SlowStartConfig': {
    readonly slowStartWindow?: Messages['google.protobuf.Duration'] | undefined
    readonly aggression?: Messages['envoy.config.core.v3.RuntimeDouble'] | undefined
    readonly minWeightPercent?: Messages['envoy.type.v3.Percent'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.RoundRobinLbConfig': {
    readonly slowStartConfig?: Messages['envoy.config.cluster.v3.Cluster.SlowStartConfig'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.RingHashLbConfig': {
    readonly minimumRingSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly maximumRingSize?: Messages['google.protobuf.UInt64Value'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.MaglevLbConfig': {
    readonly tableSize?: Messages['google.protobuf.UInt64Value'] | undefined
  }
  'envoy.config.cluster.v3.Cluster.LeastRequestLbConfig': {
    readonly choiceCount?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly slowStartConfig?: Messages['envoy.config.cluster.v3.Cluster.SlowStartConfig'] | undefined
  }
  'envoy.config.cluster.v3.LoadBalancingPolicy': {
    readonly policies?: readonly (Messages['envoy.config.cluster.v3.LoadBalancingPolicy.Policy'])[] | undefined
  }
  'envoy.config.cluster.v3.LoadBalancingPolicy.Policy': {
    readonly typedExtensionConfig?: Messages['envoy.config.core.v3.TypedExtensionConfig'] | undefined
  }
  'envoy.config.cluster.v3.UpstreamConnectionOptions': {
    readonly tcpKeepalive?: Messages['envoy.config.core.v3.TcpKeepalive'] | undefined
  }
  'envoy.config.core.v3.Locality': {
    readonly region?: string | undefined
    readonly zone?: string | undefined
    readonly subZone?: string | undefined
  }
  'envoy.config.core.v3.Node': {
    readonly id?: string | undefined
    readonly cluster?: string | undefined
    readonly metadata?: Messages['google.protobuf.Struct'] | undefined
    readonly locality?: Messages['envoy.config.core.v3.Locality'] | undefined
    readonly userAgentName?: string | undefined
    readonly userAgentVersion?: string | undefined
    readonly clientFeatures?: readonly (string)[] | undefined
  }
  'envoy.config.core.v3.Metadata': {
    readonly filterMetadata?: { readonly [key: string]: Messages['google.protobuf.Struct'] } | undefined
  }
  'envoy.config.core.v3.SocketAddress': {
    readonly protocol?: 'TCP' | 'UDP' | undefined
    readonly address?: string | undefined
    readonly portValue?: number | undefined
  }
  'envoy.config.core.v3.Address': {
    readonly socketAddress?: Messages['envoy.config.core.v3.SocketAddress'] | undefined
  }
  'envoy.config.core.v3.CidrRange': {
    readonly addressPrefix?: string | undefined
    readonly prefixLen?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.core.v3.HeaderValue': {
    readonly key?: string | undefined
    readonly value?: string | undefined
  }
  'envoy.config.core.v3.HeaderValueOption': {
    readonly header?: Messages['envoy.config.core.v3.HeaderValue'] | undefined
    readonly appendAction?: 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS' | undefined
    readonly append?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.config.core.v3.DataSource': {
    readonly filename?: string | undefined
    readonly inlineBytes?: Uint8Array | undefined
    readonly inlineString?: string | undefined
  }
  'envoy.config.core.v3.TransportSocket': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.core.v3.RuntimeFractionalPercent': {
    readonly defaultValue?: Messages['envoy.type.v3.FractionalPercent'] | undefined
    readonly runtimeKey?: string | undefined
  }
  'envoy.config.core.v3.RuntimeDouble': {
    readonly defaultValue?: number | undefined
    readonly runtimeKey?: string | undefined
  }
  'envoy.config.core.v3.TcpKeepalive': {
    readonly keepaliveProbes?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly keepaliveTime?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly keepaliveInterval?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.core.v3.AggregatedConfigSource': { readonly [key: string]: never }
  'envoy.config.core.v3.SelfConfigSource': { readonly [key: string]: never }
  'envoy.config.core.v3.ApiConfigSource': {
    readonly apiType?: 'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE' | 'REST' | 'GRPC' | 'DELTA_GRPC' | 'AGGREGATED_GRPC' | 'AGGREGATED_DELTA_GRPC' | undefined
    readonly transportApiVersion?: 'AUTO' | 'V2' | 'V3' | undefined
    readonly grpcServices?: readonly (Messages['envoy.config.core.v3.GrpcService'])[] | undefined
    readonly setNodeOnFirstMessageOnly?: boolean | undefined
  }
  'envoy.config.core.v3.ConfigSource': {
    readonly ads?: Messages['envoy.config.core.v3.AggregatedConfigSource'] | undefined
    readonly self?: Messages['envoy.config.core.v3.SelfConfigSource'] | undefined
    readonly apiConfigSource?: Messages['envoy.config.core.v3.ApiConfigSource'] | undefined
    readonly resourceApiVersion?: 'AUTO' | 'V2' | 'V3' | undefined
    readonly initialFetchTimeout?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.core.v3.GrpcService': {
    readonly envoyGrpc?: Messages['envoy.config.core.v3.GrpcService.EnvoyGrpc'] | undefined
    readonly timeout?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.core.v3.GrpcService.EnvoyGrpc': {
    readonly clusterName?: string | undefined
    readonly authority?: string | undefined
  }
  'envoy.config.core.v3.HttpProtocolOptions': {
    readonly idleTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly maxConnectionDuration?: Messages['google.protobuf.Duration'] | undefined
    readonly maxHeadersCount?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.core.v3.Http1ProtocolOptions': {
    readonly acceptHttp_10?: boolean | undefined
  }
  'envoy.config.core.v3.Http2ProtocolOptions': {
    readonly maxConcurrentStreams?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.core.v3.TypedExtensionConfig': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.endpoint.v3.Endpoint': {
    readonly address?: Messages['envoy.config.core.v3.Address'] | undefined
    readonly hostname?: string | undefined
    readonly additionalAddresses?: readonly (Messages['envoy.config.endpoint.v3.Endpoint.AdditionalAddress'])[] | undefined
  }
  'envoy.config.endpoint.v3.Endpoint.AdditionalAddress': {
    readonly address?: Messages['envoy.config.core.v3.Address'] | undefined
  }
  'envoy.config.endpoint.v3.LbEndpoint': {
    readonly endpoint?: Messages['envoy.config.endpoint.v3.Endpoint'] | undefined
    readonly healthStatus?: 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED' | undefined
    readonly metadata?: Messages['envoy.config.core.v3.Metadata'] | undefined
    readonly loadBalancingWeight?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.endpoint.v3.LocalityLbEndpoints': {
    readonly locality?: Messages['envoy.config.core.v3.Locality'] | undefined
    readonly lbEndpoints?: readonly (Messages['envoy.config.endpoint.v3.LbEndpoint'])[] | undefined
    readonly loadBalancingWeight?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly priority?: number | undefined
  }
  'envoy.config.endpoint.v3.ClusterLoadAssignment': {
    readonly clusterName?: string | undefined
    readonly endpoints?: readonly (Messages['envoy.config.endpoint.v3.LocalityLbEndpoints'])[] | undefined
    readonly policy?: Messages['envoy.config.endpoint.v3.ClusterLoadAssignment.Policy'] | undefined
  }
  'envoy.config.endpoint.v3.ClusterLoadAssignment.Policy': {
    readonly overprovisioningFactor?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly endpointStaleAfter?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.endpoint.v3.UpstreamLocalityStats': {
    readonly locality?: Messages['envoy.config.core.v3.Locality'] | undefined
    readonly totalSuccessfulRequests?: number | undefined
    readonly totalRequestsInProgress?: number | undefined
    readonly totalErrorRequests?: number | undefined
    readonly totalIssuedRequests?: number | undefined
    readonly totalActiveConnections?: number | undefined
    readonly totalNewConnections?: number | undefined
    readonly totalFailConnections?: number | undefined
    readonly loadMetricStats?: readonly (Messages['envoy.config.endpoint.v3.EndpointLoadMetricStats'])[] | undefined
    readonly priority?: number | undefined
  }
  'envoy.config.endpoint.v3.EndpointLoadMetricStats': {
    readonly metricName?: string | undefined
    readonly numRequestsFinishedWithMetric?: number | undefined
    readonly totalMetricValue?: number | undefined
  }
  'envoy.config.endpoint.v3.ClusterStats': {
    readonly clusterName?: string | undefined
    readonly clusterServiceName?: string | undefined
    readonly upstreamLocalityStats?: readonly (Messages['envoy.config.endpoint.v3.UpstreamLocalityStats'])[] | undefined
    readonly totalDroppedRequests?: number | undefined
    readonly droppedRequests?: readonly (Messages['envoy.config.endpoint.v3.ClusterStats.DroppedRequests'])[] | undefined
    readonly loadReportInterval?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.endpoint.v3.ClusterStats.DroppedRequests': {
    readonly category?: string | undefined
    readonly droppedCount?: number | undefined
  }
  'envoy.config.listener.v3.AdditionalAddress': {
    readonly address?: Messages['envoy.config.core.v3.Address'] | undefined
  }
  'envoy.config.listener.v3.ListenerFilter': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.listener.v3.Filter': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.listener.v3.FilterChainMatch': {
    readonly destinationPort?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly prefixRanges?: readonly (Messages['envoy.config.core.v3.CidrRange'])[] | undefined
    readonly serverNames?: readonly (string)[] | undefined
    readonly transportProtocol?: string | undefined
    readonly applicationProtocols?: readonly (string)[] | undefined
  }
  'envoy.config.listener.v3.FilterChain': {
    readonly name?: string | undefined
    readonly filterChainMatch?: Messages['envoy.config.listener.v3.FilterChainMatch'] | undefined
    readonly filters?: readonly (Messages['envoy.config.listener.v3.Filter'])[] | undefined
    readonly transportSocket?: Messages['envoy.config.core.v3.TransportSocket'] | undefined
  }
  'envoy.config.listener.v3.ApiListener': {
    readonly apiListener?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.listener.v3.Listener': {
    readonly name?: string | undefined
    readonly address?: Messages['envoy.config.core.v3.Address'] | undefined
    readonly additionalAddresses?: readonly (Messages['envoy.config.listener.v3.AdditionalAddress'])[] | undefined
    readonly filterChains?: readonly (Messages['envoy.config.listener.v3.FilterChain'])[] | undefined
    readonly defaultFilterChain?: Messages['envoy.config.listener.v3.FilterChain'] | undefined
    readonly listenerFilters?: readonly (Messages['envoy.config.listener.v3.ListenerFilter'])[] | undefined
    readonly useOriginalDst?: Messages['google.protobuf.BoolValue'] | undefined
    readonly apiListener?: Messages['envoy.config.listener.v3.ApiListener'] | undefined
    readonly trafficDirection?: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND' | undefined
    readonly bindToPort?: Messages['google.protobuf.BoolValue'] | undefined
    readonly statPrefix?: string | undefined
    readonly metadata?: Messages['envoy.config.core.v3.Metadata'] | undefined
  }
  'envoy.config.rbac.v3.RBAC': {
    readonly action?: 'ALLOW' | 'DENY' | 'LOG' | undefined
    readonly policies?: { readonly [key: string]: Messages['envoy.config.rbac.v3.Policy'] } | undefined
  }
  'envoy.config.rbac.v3.Policy': {
    readonly permissions?: readonly (Messages['envoy.config.rbac.v3.Permission'])[] | undefined
    readonly principals?: readonly (Messages['envoy.config.rbac.v3.Principal'])[] | undefined
  }
  'envoy.config.rbac.v3.Permission': {
    readonly andRules?: Messages['envoy.config.rbac.v3.Permission.Set'] | undefined
    readonly orRules?: Messages['envoy.config.rbac.v3.Permission.Set'] | undefined
    readonly any?: boolean | undefined
    readonly header?: Messages['envoy.config.route.v3.HeaderMatcher'] | undefined
    readonly destinationIp?: Messages['envoy.config.core.v3.CidrRange'] | undefined
    readonly destinationPort?: number | undefined
    readonly notRule?: Messages['envoy.config.rbac.v3.Permission'] | undefined
    readonly urlPath?: Messages['envoy.type.matcher.v3.PathMatcher'] | undefined
  }
  'envoy.config.rbac.v3.Permission.Set': {
    readonly rules?: readonly (Messages['envoy.config.rbac.v3.Permission'])[] | undefined
  }
  'envoy.config.rbac.v3.Principal': {
    readonly andIds?: Messages['envoy.config.rbac.v3.Principal.Set'] | undefined
    readonly orIds?: Messages['envoy.config.rbac.v3.Principal.Set'] | undefined
    readonly any?: boolean | undefined
    readonly authenticated?: Messages['envoy.config.rbac.v3.Principal.Authenticated'] | undefined
    readonly directRemoteIp?: Messages['envoy.config.core.v3.CidrRange'] | undefined
    readonly remoteIp?: Messages['envoy.config.core.v3.CidrRange'] | undefined
    readonly header?: Messages['envoy.config.route.v3.HeaderMatcher'] | undefined
    readonly notId?: Messages['envoy.config.rbac.v3.Principal'] | undefined
  }
  'envoy.config.rbac.v3.Principal.Set': {
    readonly ids?: readonly (Messages['envoy.config.rbac.v3.Principal'])[] | undefined
  }
  'envoy.config.rbac.v3.Principal.Authenticated': {
    readonly principalName?: Messages['envoy.type.matcher.v3.StringMatcher'] | undefined
  }
  'envoy.config.route.v3.RouteConfiguration': {
    readonly name?: string | undefined
    readonly virtualHosts?: readonly (Messages['envoy.config.route.v3.VirtualHost'])[] | undefined
    readonly validateClusters?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.config.route.v3.VirtualHost': {
    readonly name?: string | undefined
    readonly domains?: readonly (string)[] | undefined
    readonly routes?: readonly (Messages['envoy.config.route.v3.Route'])[] | undefined
    readonly retryPolicy?: Messages['envoy.config.route.v3.RetryPolicy'] | undefined
    readonly hedgePolicy?: Messages['envoy.config.route.v3.HedgePolicy'] | undefined
    readonly typedPerFilterConfig?: { readonly [key: string]: Messages['google.protobuf.Any'] } | undefined
  }
  'envoy.config.route.v3.Route': {
    readonly name?: string | undefined
    readonly match?: Messages['envoy.config.route.v3.RouteMatch'] | undefined
    readonly route?: Messages['envoy.config.route.v3.RouteAction'] | undefined
    readonly redirect?: Messages['envoy.config.route.v3.RedirectAction'] | undefined
    readonly directResponse?: Messages['envoy.config.route.v3.DirectResponseAction'] | undefined
    readonly nonForwardingAction?: Messages['envoy.config.route.v3.NonForwardingAction'] | undefined
    readonly typedPerFilterConfig?: { readonly [key: string]: Messages['google.protobuf.Any'] } | undefined
    readonly requestHeadersToAdd?: readonly (Messages['envoy.config.core.v3.HeaderValueOption'])[] | undefined
    readonly requestHeadersToRemove?: readonly (string)[] | undefined
    readonly responseHeadersToAdd?: readonly (Messages['envoy.config.core.v3.HeaderValueOption'])[] | undefined
    readonly responseHeadersToRemove?: readonly (string)[] | undefined
    readonly metadata?: Messages['envoy.config.core.v3.Metadata'] | undefined
  }
  'envoy.config.route.v3.NonForwardingAction': { readonly [key: string]: never }
  'envoy.config.route.v3.RouteMatch': {
    readonly prefix?: string | undefined
    readonly path?: string | undefined
    readonly safeRegex?: Messages['envoy.type.matcher.v3.RegexMatcher'] | undefined
    readonly pathSeparatedPrefix?: string | undefined
    readonly caseSensitive?: Messages['google.protobuf.BoolValue'] | undefined
    readonly headers?: readonly (Messages['envoy.config.route.v3.HeaderMatcher'])[] | undefined
    readonly queryParameters?: readonly (Messages['envoy.config.route.v3.QueryParameterMatcher'])[] | undefined
    readonly runtimeFraction?: Messages['envoy.config.core.v3.RuntimeFractionalPercent'] | undefined
    readonly grpc?: Messages['envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions'] | undefined
  }
  'envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions': { readonly [key: string]: never }
  'envoy.config.route.v3.HeaderMatcher': {
    readonly name?: string | undefined
    readonly exactMatch?: string | undefined
    readonly stringMatch?: Messages['envoy.type.matcher.v3.StringMatcher'] | undefined
    readonly presentMatch?: boolean | undefined
    readonly invertMatch?: boolean | undefined
    readonly treatMissingHeaderAsEmpty?: boolean | undefined
  }
  'envoy.config.route.v3.QueryParameterMatcher': {
    readonly name?: string | undefined
    readonly stringMatch?: Messages['envoy.type.matcher.v3.StringMatcher'] | undefined
    readonly presentMatch?: boolean | undefined
  }
  'envoy.config.route.v3.WeightedCluster': {
    readonly clusters?: readonly (Messages['envoy.config.route.v3.WeightedCluster.ClusterWeight'])[] | undefined
    readonly totalWeight?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.config.route.v3.WeightedCluster.ClusterWeight': {
    readonly name?: string | undefined
    readonly weight?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly typedPerFilterConfig?: { readonly [key: string]: Messages['google.protobuf.Any'] } | undefined
    readonly requestHeadersToAdd?: readonly (Messages['envoy.config.core.v3.HeaderValueOption'])[] | undefined
    readonly requestHeadersToRemove?: readonly (string)[] | undefined
    readonly responseHeadersToAdd?: readonly (Messages['envoy.config.core.v3.HeaderValueOption'])[] | undefined
    readonly responseHeadersToRemove?: readonly (string)[] | undefined
    readonly hostRewriteLiteral?: string | undefined
  }
  'envoy.config.route.v3.RouteAction': {
    readonly cluster?: string | undefined
    readonly weightedClusters?: Messages['envoy.config.route.v3.WeightedCluster'] | undefined
    readonly clusterHeader?: string | undefined
    readonly prefixRewrite?: string | undefined
    readonly regexRewrite?: Messages['envoy.type.matcher.v3.RegexMatchAndSubstitute'] | undefined
    readonly hostRewriteLiteral?: string | undefined
    readonly autoHostRewrite?: Messages['google.protobuf.BoolValue'] | undefined
    readonly hostRewriteHeader?: string | undefined
    readonly hostRewritePathRegex?: Messages['envoy.type.matcher.v3.RegexMatchAndSubstitute'] | undefined
    readonly timeout?: Messages['google.protobuf.Duration'] | undefined
    readonly idleTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly retryPolicy?: Messages['envoy.config.route.v3.RetryPolicy'] | undefined
    readonly requestMirrorPolicies?: readonly (Messages['envoy.config.route.v3.RouteAction.RequestMirrorPolicy'])[] | undefined
    readonly rateLimits?: readonly (Messages['envoy.config.route.v3.RateLimit'])[] | undefined
    readonly hashPolicy?: readonly (Messages['envoy.config.route.v3.RouteAction.HashPolicy'])[] | undefined
    readonly hedgePolicy?: Messages['envoy.config.route.v3.HedgePolicy'] | undefined
    readonly maxStreamDuration?: Messages['envoy.config.route.v3.RouteAction.MaxStreamDuration'] | undefined
    readonly clusterNotFoundResponseCode?: 'SERVICE_UNAVAILABLE' | 'NOT_FOUND' | 'INTERNAL_SERVER_ERROR' | undefined
  }
  'envoy.config.route.v3.RouteAction.RequestMirrorPolicy': {
    readonly cluster?: string | undefined
    readonly runtimeFraction?: Messages['envoy.config.core.v3.RuntimeFractionalPercent'] | undefined
    readonly disableShadowHostSuffixAppend?: boolean | undefined
  }
  'envoy.config.route.v3.RouteAction.MaxStreamDuration': {
    readonly maxStreamDuration?: Messages['google.protobuf.Duration'] | undefined
    readonly grpcTimeoutHeaderMax?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.route.v3.RouteAction.HashPolicy': {
    readonly header?: Messages['envoy.config.route.v3.RouteAction.HashPolicy.Header'] | undefined
    readonly cookie?: Messages['envoy.config.route.v3.RouteAction.HashPolicy.Cookie'] | undefined
    readonly connectionProperties?: Messages['envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties'] | undefined
    readonly queryParameter?: Messages['envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter'] | undefined
    readonly terminal?: boolean | undefined
  }
  'envoy.config.route.v3.RouteAction.HashPolicy.Header': {
    readonly headerName?: string | undefined
  }
  'envoy.config.route.v3.RouteAction.HashPolicy.Cookie': {
    readonly name?: string | undefined
    readonly ttl?: Messages['google.protobuf.Duration'] | undefined
    readonly path?: string | undefined
  }
  'envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties': {
    readonly sourceIp?: boolean | undefined
  }
  'envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter': {
    readonly name?: string | undefined
  }
  'envoy.config.route.v3.RetryPolicy': {
    readonly retryOn?: string | undefined
    readonly numRetries?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly perTryTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly retriableStatusCodes?: readonly (number)[] | undefined
    readonly retryBackOff?: Messages['envoy.config.route.v3.RetryPolicy.RetryBackOff'] | undefined
    readonly retryHostPredicate?: readonly (Messages['envoy.config.route.v3.RetryPolicy.RetryHostPredicate'])[] | undefined
    readonly hostSelectionRetryMaxAttempts?: number | undefined
    readonly retriableHeaders?: readonly (Messages['envoy.config.route.v3.HeaderMatcher'])[] | undefined
    readonly retriableRequestHeaders?: readonly (Messages['envoy.config.route.v3.HeaderMatcher'])[] | undefined
    readonly rateLimitedRetryBackOff?: Messages['envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff'] | undefined
  }
  'envoy.config.route.v3.RetryPolicy.RetryBackOff': {
    readonly baseInterval?: Messages['google.protobuf.Duration'] | undefined
    readonly maxInterval?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.route.v3.RetryPolicy.ResetHeader': {
    readonly name?: string | undefined
    readonly format?: 'SECONDS' | 'UNIX_TIMESTAMP' | undefined
  }
  'envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff': {
    readonly resetHeaders?: readonly (Messages['envoy.config.route.v3.RetryPolicy.ResetHeader'])[] | undefined
    readonly maxInterval?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.config.route.v3.RetryPolicy.RetryHostPredicate': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.config.route.v3.HedgePolicy': {
    readonly initialRequests?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly additionalRequestChance?: Messages['envoy.type.v3.FractionalPercent'] | undefined
    readonly hedgeOnPerTryTimeout?: boolean | undefined
  }
  'envoy.config.route.v3.RateLimit': {
    readonly stage?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly actions?: readonly (Messages['envoy.config.route.v3.RateLimit.Action'])[] | undefined
  }
  'envoy.config.route.v3.RateLimit.Action': {
    readonly requestHeaders?: Messages['envoy.config.route.v3.RateLimit.Action.RequestHeaders'] | undefined
    readonly remoteAddress?: Messages['envoy.config.route.v3.RateLimit.Action.RemoteAddress'] | undefined
    readonly genericKey?: Messages['envoy.config.route.v3.RateLimit.Action.GenericKey'] | undefined
    readonly extension?: Messages['envoy.config.core.v3.TypedExtensionConfig'] | undefined
  }
  'envoy.config.route.v3.RateLimit.Action.RequestHeaders': {
    readonly headerName?: string | undefined
    readonly descriptorKey?: string | undefined
    readonly skipIfAbsent?: boolean | undefined
  }
  'envoy.config.route.v3.RateLimit.Action.RemoteAddress': { readonly [key: string]: never }
  'envoy.config.route.v3.RateLimit.Action.GenericKey': {
    readonly descriptorValue?: string | undefined
    readonly descriptorKey?: string | undefined
  }
  'envoy.config.route.v3.FilterConfig': {
    readonly config?: Messages['google.protobuf.Any'] | undefined
    readonly isOptional?: boolean | undefined
    readonly disabled?: boolean | undefined
  }
  'envoy.config.route.v3.RedirectAction': {
    readonly httpsRedirect?: boolean | undefined
    readonly schemeRedirect?: string | undefined
    readonly hostRedirect?: string | undefined
    readonly portRedirect?: number | undefined
    readonly pathRedirect?: string | undefined
    readonly prefixRewrite?: string | undefined
    readonly regexRewrite?: Messages['envoy.type.matcher.v3.RegexMatchAndSubstitute'] | undefined
    readonly responseCode?: 'MOVED_PERMANENTLY' | 'FOUND' | 'SEE_OTHER' | 'TEMPORARY_REDIRECT' | 'PERMANENT_REDIRECT' | undefined
    readonly stripQuery?: boolean | undefined
  }
  'envoy.config.route.v3.DirectResponseAction': {
    readonly status?: number | undefined
    readonly body?: Messages['envoy.config.core.v3.DataSource'] | undefined
  }
  'envoy.config.trace.v3.ZipkinConfig': {
    readonly collectorCluster?: string | undefined
    readonly collectorEndpoint?: string | undefined
    readonly collectorEndpointVersion?: 'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE' | 'HTTP_JSON' | 'HTTP_PROTO' | 'GRPC' | undefined
    readonly sharedSpanContext?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.config.trace.v3.Tracing': {
    readonly http?: Messages['envoy.config.trace.v3.Tracing.Http'] | undefined
  }
  'envoy.config.trace.v3.Tracing.Http': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
  }
  'envoy.type.v3.Percent': {
    readonly value?: number | undefined
  }
  'envoy.type.v3.FractionalPercent': {
    readonly numerator?: number | undefined
    readonly denominator?: 'HUNDRED' | 'TEN_THOUSAND' | 'MILLION' | undefined
  }
  'envoy.type.v3.Int64Range': {
    readonly start?: number | undefined
    readonly end?: number | undefined
  }
  'envoy.type.v3.TokenBucket': {
    readonly maxTokens?: number | undefined
    readonly tokensPerFill?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly fillInterval?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.type.v3.HttpStatus': {
    readonly code?: 'Empty' | 'Continue' | 'OK' | 'Created' | 'Accepted' | 'NonAuthoritativeInformation' | 'NoContent' | 'ResetContent' | 'PartialContent' | 'MultiStatus' | 'AlreadyReported' | 'IMUsed' | 'MultipleChoices' | 'MovedPermanently' | 'Found' | 'SeeOther' | 'NotModified' | 'UseProxy' | 'TemporaryRedirect' | 'PermanentRedirect' | 'BadRequest' | 'Unauthorized' | 'PaymentRequired' | 'Forbidden' | 'NotFound' | 'MethodNotAllowed' | 'NotAcceptable' | 'ProxyAuthenticationRequired' | 'RequestTimeout' | 'Conflict' | 'Gone' | 'LengthRequired' | 'PreconditionFailed' | 'PayloadTooLarge' | 'URITooLong' | 'UnsupportedMediaType' | 'RangeNotSatisfiable' | 'ExpectationFailed' | 'MisdirectedRequest' | 'UnprocessableEntity' | 'Locked' | 'FailedDependency' | 'UpgradeRequired' | 'PreconditionRequired' | 'TooManyRequests' | 'RequestHeaderFieldsTooLarge' | 'InternalServerError' | 'NotImplemented' | 'BadGateway' | 'ServiceUnavailable' | 'GatewayTimeout' | 'HTTPVersionNotSupported' | 'VariantAlsoNegotiates' | 'InsufficientStorage' | 'LoopDetected' | 'NotExtended' | 'NetworkAuthenticationRequired' | undefined
  }
  'envoy.type.matcher.v3.RegexMatcher': {
    readonly regex?: string | undefined
  }
  'envoy.type.matcher.v3.RegexMatchAndSubstitute': {
    readonly pattern?: Messages['envoy.type.matcher.v3.RegexMatcher'] | undefined
    readonly substitution?: string | undefined
  }
  'envoy.type.matcher.v3.StringMatcher': {
    readonly exact?: string | undefined
    readonly prefix?: string | undefined
    readonly suffix?: string | undefined
    readonly contains?: string | undefined
    readonly safeRegex?: Messages['envoy.type.matcher.v3.RegexMatcher'] | undefined
    readonly ignoreCase?: boolean | undefined
  }
  'envoy.type.matcher.v3.PathMatcher': {
    readonly path?: Messages['envoy.type.matcher.v3.StringMatcher'] | undefined
  }
  'envoy.type.matcher.v3.ListStringMatcher': {
    readonly patterns?: readonly (Messages['envoy.type.matcher.v3.StringMatcher'])[] | undefined
  }
  'envoy.type.http.v3.Cookie': {
    readonly name?: string | undefined
    readonly ttl?: Messages['google.protobuf.Duration'] | undefined
    readonly path?: string | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.TlsParameters': {
    readonly tlsMinimumProtocolVersion?: 'TLS_AUTO' | 'TLSv1_0' | 'TLSv1_1' | 'TLSv1_2' | 'TLSv1_3' | undefined
    readonly tlsMaximumProtocolVersion?: 'TLS_AUTO' | 'TLSv1_0' | 'TLSv1_1' | 'TLSv1_2' | 'TLSv1_3' | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.TlsCertificate': {
    readonly certificateChain?: Messages['envoy.config.core.v3.DataSource'] | undefined
    readonly privateKey?: Messages['envoy.config.core.v3.DataSource'] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance': {
    readonly instanceName?: string | undefined
    readonly certificateName?: string | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher': {
    readonly sanType?: 'SAN_TYPE_UNSPECIFIED' | 'EMAIL' | 'DNS' | 'URI' | 'IP_ADDRESS' | 'OTHER_NAME' | undefined
    readonly matcher?: Messages['envoy.type.matcher.v3.StringMatcher'] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext': {
    readonly trustedCa?: Messages['envoy.config.core.v3.DataSource'] | undefined
    readonly caCertificateProviderInstance?: Messages['envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance'] | undefined
    readonly matchTypedSubjectAltNames?: readonly (Messages['envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher'])[] | undefined
    readonly matchSubjectAltNames?: readonly (Messages['envoy.type.matcher.v3.StringMatcher'])[] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig': {
    readonly name?: string | undefined
    readonly sdsConfig?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.CommonTlsContext': {
    readonly tlsParams?: Messages['envoy.extensions.transport_sockets.tls.v3.TlsParameters'] | undefined
    readonly tlsCertificates?: readonly (Messages['envoy.extensions.transport_sockets.tls.v3.TlsCertificate'])[] | undefined
    readonly tlsCertificateSdsSecretConfigs?: readonly (Messages['envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig'])[] | undefined
    readonly tlsCertificateProviderInstance?: Messages['envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance'] | undefined
    readonly validationContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext'] | undefined
    readonly validationContextSdsSecretConfig?: Messages['envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig'] | undefined
    readonly combinedValidationContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext'] | undefined
    readonly alpnProtocols?: readonly (string)[] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext': {
    readonly defaultValidationContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext'] | undefined
    readonly validationContextSdsSecretConfig?: Messages['envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig'] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext': {
    readonly commonTlsContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CommonTlsContext'] | undefined
    readonly sni?: string | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext': {
    readonly commonTlsContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CommonTlsContext'] | undefined
    readonly requireClientCertificate?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.extensions.transport_sockets.tls.v3.Secret': {
    readonly name?: string | undefined
    readonly tlsCertificate?: Messages['envoy.extensions.transport_sockets.tls.v3.TlsCertificate'] | undefined
    readonly validationContext?: Messages['envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext'] | undefined
  }
  'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer': { readonly [key: string]: never }
  'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor': {
    readonly entries?: readonly (Messages['envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry'])[] | undefined
  }
  'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry': {
    readonly key?: string | undefined
    readonly value?: string | undefined
  }
  'envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor': {
    readonly entries?: readonly (Messages['envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry'])[] | undefined
    readonly tokenBucket?: Messages['envoy.type.v3.TokenBucket'] | undefined
  }
  'envoy.extensions.filters.common.fault.v3.FaultDelay': {
    readonly fixedDelay?: Messages['google.protobuf.Duration'] | undefined
    readonly percentage?: Messages['envoy.type.v3.FractionalPercent'] | undefined
  }
  'envoy.extensions.filters.http.fault.v3.FaultAbort': {
    readonly httpStatus?: number | undefined
    readonly grpcStatus?: number | undefined
    readonly percentage?: Messages['envoy.type.v3.FractionalPercent'] | undefined
  }
  'envoy.extensions.filters.http.fault.v3.HTTPFault': {
    readonly delay?: Messages['envoy.extensions.filters.common.fault.v3.FaultDelay'] | undefined
    readonly abort?: Messages['envoy.extensions.filters.http.fault.v3.FaultAbort'] | undefined
    readonly headers?: readonly (Messages['envoy.config.route.v3.HeaderMatcher'])[] | undefined
    readonly maxActiveFaults?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': {
    readonly statPrefix?: string | undefined
    readonly status?: Messages['envoy.type.v3.HttpStatus'] | undefined
    readonly tokenBucket?: Messages['envoy.type.v3.TokenBucket'] | undefined
    readonly filterEnabled?: Messages['envoy.config.core.v3.RuntimeFractionalPercent'] | undefined
    readonly filterEnforced?: Messages['envoy.config.core.v3.RuntimeFractionalPercent'] | undefined
    readonly responseHeadersToAdd?: readonly (Messages['envoy.config.core.v3.HeaderValueOption'])[] | undefined
    readonly descriptors?: readonly (Messages['envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor'])[] | undefined
    readonly stage?: number | undefined
    readonly alwaysConsumeDefaultTokenBucket?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.extensions.filters.http.rbac.v3.RBAC': {
    readonly rules?: Messages['envoy.config.rbac.v3.RBAC'] | undefined
    readonly shadowRules?: Messages['envoy.config.rbac.v3.RBAC'] | undefined
    readonly rulesStatPrefix?: string | undefined
  }
  'envoy.extensions.filters.http.router.v3.Router': { readonly [key: string]: never }
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': {
    readonly sessionState?: Messages['envoy.config.core.v3.TypedExtensionConfig'] | undefined
    readonly strict?: boolean | undefined
  }
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute': {
    readonly disabled?: boolean | undefined
    readonly statefulSession?: Messages['envoy.extensions.filters.http.stateful_session.v3.StatefulSession'] | undefined
  }
  'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector': { readonly [key: string]: never }
  'envoy.extensions.filters.listener.original_dst.v3.OriginalDst': { readonly [key: string]: never }
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector': { readonly [key: string]: never }
  'envoy.extensions.filters.network.http_connection_manager.v3.Rds': {
    readonly configSource?: Messages['envoy.config.core.v3.ConfigSource'] | undefined
    readonly routeConfigName?: string | undefined
  }
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter': {
    readonly name?: string | undefined
    readonly typedConfig?: Messages['google.protobuf.Any'] | undefined
    readonly isOptional?: boolean | undefined
  }
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager': {
    readonly codecType?: 'AUTO' | 'HTTP1' | 'HTTP2' | 'HTTP3' | undefined
    readonly statPrefix?: string | undefined
    readonly rds?: Messages['envoy.extensions.filters.network.http_connection_manager.v3.Rds'] | undefined
    readonly routeConfig?: Messages['envoy.config.route.v3.RouteConfiguration'] | undefined
    readonly httpFilters?: readonly (Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'])[] | undefined
    readonly tracing?: Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing'] | undefined
    readonly commonHttpProtocolOptions?: Messages['envoy.config.core.v3.HttpProtocolOptions'] | undefined
    readonly useRemoteAddress?: Messages['google.protobuf.BoolValue'] | undefined
    readonly forwardClientCertDetails?: 'SANITIZE' | 'FORWARD_ONLY' | 'APPEND_FORWARD' | 'SANITIZE_SET' | 'ALWAYS_FORWARD_ONLY' | undefined
    readonly setCurrentClientCertDetails?: Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails'] | undefined
    readonly streamIdleTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly requestTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly generateRequestId?: Messages['google.protobuf.BoolValue'] | undefined
    readonly normalizePath?: Messages['google.protobuf.BoolValue'] | undefined
    readonly upgradeConfigs?: readonly (Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig'])[] | undefined
    readonly serverHeaderTransformation?: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH' | undefined
  }
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing': {
    readonly randomSampling?: Messages['envoy.type.v3.Percent'] | undefined
    readonly provider?: Messages['envoy.config.trace.v3.Tracing.Http'] | undefined
  }
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails': {
    readonly subject?: Messages['google.protobuf.BoolValue'] | undefined
    readonly uri?: boolean | undefined
  }
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig': {
    readonly upgradeType?: string | undefined
    readonly enabled?: Messages['google.protobuf.BoolValue'] | undefined
  }
  'envoy.extensions.filters.network.rbac.v3.RBAC': {
    readonly rules?: Messages['envoy.config.rbac.v3.RBAC'] | undefined
    readonly shadowRules?: Messages['envoy.config.rbac.v3.RBAC'] | undefined
    readonly statPrefix?: string | undefined
  }
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy': {
    readonly statPrefix?: string | undefined
    readonly cluster?: string | undefined
    readonly weightedClusters?: Messages['envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster'] | undefined
    readonly idleTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly maxConnectAttempts?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster': {
    readonly clusters?: readonly (Messages['envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight'])[] | undefined
  }
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight': {
    readonly name?: string | undefined
    readonly weight?: number | undefined
  }
  'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState': {
    readonly cookie?: Messages['envoy.type.http.v3.Cookie'] | undefined
  }
  'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState': {
    readonly name?: string | undefined
  }
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig': {
    readonly zoneAwareLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig'] | undefined
    readonly localityWeightedLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig'] | undefined
  }
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig': {
    readonly routingEnabled?: Messages['envoy.type.v3.Percent'] | undefined
    readonly minClusterSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly failTrafficOnPanic?: boolean | undefined
  }
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig': { readonly [key: string]: never }
  'envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig': {
    readonly slowStartWindow?: Messages['google.protobuf.Duration'] | undefined
    readonly aggression?: Messages['envoy.config.core.v3.RuntimeDouble'] | undefined
    readonly minWeightPercent?: Messages['envoy.type.v3.Percent'] | undefined
  }
  'envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig': {
    readonly useHostnameForHashing?: boolean | undefined
    readonly hashBalanceFactor?: Messages['google.protobuf.UInt32Value'] | undefined
  }
  'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest': {
    readonly choiceCount?: Messages['google.protobuf.UInt32Value'] | undefined
    readonly slowStartConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig'] | undefined
    readonly localityLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig'] | undefined
  }
  'envoy.extensions.load_balancing_policies.maglev.v3.Maglev': {
    readonly tableSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly consistentHashingLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig'] | undefined
  }
  'envoy.extensions.load_balancing_policies.random.v3.Random': {
    readonly localityLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig'] | undefined
  }
  'envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash': {
    readonly hashFunction?: 'DEFAULT_HASH' | 'XX_HASH' | 'MURMUR_HASH_2' | undefined
    readonly minimumRingSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly maximumRingSize?: Messages['google.protobuf.UInt64Value'] | undefined
    readonly consistentHashingLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig'] | undefined
  }
  'envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin': {
    readonly slowStartConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig'] | undefined
    readonly localityLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig'] | undefined
  }
  'envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor': {
    readonly descriptorKey?: string | undefined
    readonly skipIfError?: boolean | undefined
    readonly text?: string | undefined
  }
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate': { readonly [key: string]: never }
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    readonly commonHttpProtocolOptions?: Messages['envoy.config.core.v3.HttpProtocolOptions'] | undefined
    readonly explicitHttpConfig?: Messages['envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig'] | undefined
  }
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig': {
    readonly httpProtocolOptions?: Messages['envoy.config.core.v3.Http1ProtocolOptions'] | undefined
    readonly http2ProtocolOptions?: Messages['envoy.config.core.v3.Http2ProtocolOptions'] | undefined
  }
  'envoy.service.discovery.v3.DiscoveryRequest': {
    readonly versionInfo?: string | undefined
    readonly node?: Messages['envoy.config.core.v3.Node'] | undefined
    readonly resourceNames?: readonly (string)[] | undefined
    readonly typeUrl?: string | undefined
    readonly responseNonce?: string | undefined
    readonly errorDetail?: Messages['google.rpc.Status'] | undefined
  }
  'envoy.service.discovery.v3.DiscoveryResponse': {
    readonly versionInfo?: string | undefined
    readonly resources?: readonly (Messages['google.protobuf.Any'])[] | undefined
    readonly typeUrl?: string | undefined
    readonly nonce?: string | undefined
  }
  'envoy.service.discovery.v3.DeltaDiscoveryRequest': {
    readonly node?: Messages['envoy.config.core.v3.Node'] | undefined
    readonly typeUrl?: string | undefined
    readonly resourceNamesSubscribe?: readonly (string)[] | undefined
    readonly resourceNamesUnsubscribe?: readonly (string)[] | undefined
    readonly initialResourceVersions?: { readonly [key: string]: string } | undefined
    readonly responseNonce?: string | undefined
    readonly errorDetail?: Messages['google.rpc.Status'] | undefined
  }
  'envoy.service.discovery.v3.DeltaDiscoveryResponse': {
    readonly systemVersionInfo?: string | undefined
    readonly resources?: readonly (Messages['envoy.service.discovery.v3.Resource'])[] | undefined
    readonly typeUrl?: string | undefined
    readonly removedResources?: readonly (string)[] | undefined
    readonly nonce?: string | undefined
  }
  'envoy.service.discovery.v3.Resource': {
    readonly name?: string | undefined
    readonly version?: string | undefined
    readonly resource?: Messages['google.protobuf.Any'] | undefined
    readonly ttl?: Messages['google.protobuf.Duration'] | undefined
  }
  'envoy.service.load_stats.v3.LoadStatsRequest': {
    readonly node?: Messages['envoy.config.core.v3.Node'] | undefined
    readonly clusterStats?: readonly (Messages['envoy.config.endpoint.v3.ClusterStats'])[] | undefined
  }
  'envoy.service.load_stats.v3.LoadStatsResponse': {
    readonly clusters?: readonly (string)[] | undefined
    readonly loadReportingInterval?: Messages['google.protobuf.Duration'] | undefined
    readonly reportEndpointGranularity?: boolean | undefined
    readonly sendAllClusters?: boolean | undefined
  }
  'google.protobuf.Duration': {
    readonly seconds?: number | undefined
    readonly nanos?: number | undefined
  }
  'google.protobuf.DoubleValue': {
    readonly value?: number | undefined
  }
  'google.protobuf.FloatValue': {
    readonly value?: number | undefined
  }
  'google.protobuf.Int64Value': {
    readonly value?: number | undefined
  }
  'google.protobuf.UInt64Value': {
    readonly value?: number | undefined
  }
  'google.protobuf.Int32Value': {
    readonly value?: number | undefined
  }
  'google.protobuf.UInt32Value': {
    readonly value?: number | undefined
  }
  'google.protobuf.BoolValue': {
    readonly value?: boolean | undefined
  }
  'google.protobuf.StringValue': {
    readonly value?: string | undefined
  }
  'google.protobuf.BytesValue': {
    readonly value?: Uint8Array | undefined
  }
  'google.protobuf.Any': {
    readonly value?: Uint8Array | undefined
    readonly typeUrl?: string | undefined
  }
  'google.protobuf.Struct': {
    readonly fields?: { readonly [key: string]: Messages['google.protobuf.Value'] } | undefined
  }
  'google.protobuf.Value': {
    readonly nullValue?: 'NULL_VALUE' | undefined
    readonly numberValue?: number | undefined
    readonly stringValue?: string | undefined
    readonly boolValue?: boolean | undefined
    readonly structValue?: Messages['google.protobuf.Struct'] | undefined
    readonly listValue?: Messages['google.protobuf.ListValue'] | undefined
  }
  'google.protobuf.ListValue': {
    readonly values?: readonly (Messages['google.protobuf.Value'])[] | undefined
  }
  'google.rpc.Status': {
    readonly code?: number | undefined
    readonly message?: string | undefined
    readonly details?: readonly (Messages['google.protobuf.Any'])[] | undefined
  }
  'istio.v1.auth.IstioCertificateRequest': {
    readonly csr?: string | undefined
    readonly validityDuration?: number | undefined
    readonly metadata?: Messages['google.protobuf.Struct'] | undefined
  }
  'istio.v1.auth.IstioCertificateResponse': {
    readonly certChain?: readonly (string)[] | undefined
  }
  'weft.load_balancing.v1.PeakEwma': {
    readonly decay?: Messages['google.protobuf.Duration'] | undefined
    readonly defaultLatency?: Messages['google.protobuf.Duration'] | undefined
    readonly slowStartConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig'] | undefined
    readonly localityLbConfig?: Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig'] | undefined
  }
  'weft.route.v1.RetryOptions': {
    readonly methods?: readonly (string)[] | undefined
    readonly budget?: Messages['weft.route.v1.RetryOptions.Budget'] | undefined
    readonly hedging?: Messages['weft.route.v1.RetryOptions.Hedging'] | undefined
    readonly attemptTimeout?: Messages['google.protobuf.Duration'] | undefined
    readonly minBackOff?: Messages['google.protobuf.Duration'] | undefined
  }
  'weft.route.v1.RetryOptions.Budget': {
    readonly ratioPercent?: number | undefined
    readonly minPerSecond?: number | undefined
    readonly ttl?: Messages['google.protobuf.Duration'] | undefined
  }
  'weft.route.v1.RetryOptions.Hedging': {
    readonly delay?: Messages['google.protobuf.Duration'] | undefined
    readonly percentile?: number | undefined
  }
  'weft.tap.v1alpha1.Filter': {
    readonly direction?: string | undefined
    readonly method?: string | undefined
    readonly pathPrefix?: string | undefined
    readonly leastStatus?: number | undefined
    readonly mostStatus?: number | undefined
    readonly leastLatencyMs?: number | undefined
    readonly peer?: string | undefined
    readonly grpcStatus?: string | undefined
  }
  'weft.tap.v1alpha1.Watch': {
    readonly id?: number | undefined
    readonly filter?: Messages['weft.tap.v1alpha1.Filter'] | undefined
  }
  'weft.tap.v1alpha1.TapCommand': {
    readonly watches?: readonly (Messages['weft.tap.v1alpha1.Watch'])[] | undefined
  }
  'weft.tap.v1alpha1.TappedExchange': {
    readonly watchIds?: readonly (number)[] | undefined
    readonly atMs?: number | undefined
    readonly direction?: string | undefined
    readonly destination?: string | undefined
    readonly endpoint?: string | undefined
    readonly peer?: string | undefined
    readonly tls?: boolean | undefined
    readonly method?: string | undefined
    readonly authority?: string | undefined
    readonly path?: string | undefined
    readonly status?: number | undefined
    readonly durationMs?: number | undefined
    readonly requestBytes?: number | undefined
    readonly replyBytes?: number | undefined
    readonly flags?: string | undefined
    readonly traceId?: string | undefined
    readonly grpcStatus?: string | undefined
  }
  'weft.tap.v1alpha1.TapReport': {
    readonly node?: Messages['envoy.config.core.v3.Node'] | undefined
    readonly exchanges?: readonly (Messages['weft.tap.v1alpha1.TappedExchange'])[] | undefined
    readonly dropped?: number | undefined
  }
}
