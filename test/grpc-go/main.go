// Command grpc-go is both ends of gRPC's interop cases as grpc-go has them, which measures its connections by PING.
//
//	grpc-go serve           serves on a port of its own, which it prints
//	grpc-go call ADDRESS AUTHORITY   calls by way of ADDRESS, case after case, and prints the name of each that is kept
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
)

type interopCase struct {
	name string
	run  func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)
}

var cases = []interopCase{
	{"empty_unary", interop.DoEmptyUnaryCall},
	{"large_unary", interop.DoLargeUnaryCall},
	{"client_streaming", interop.DoClientStreaming},
	{"server_streaming", interop.DoServerStreaming},
	{"ping_pong", interop.DoPingPong},
	{"empty_stream", interop.DoEmptyStream},
	{"timeout_on_sleeping_server", interop.DoTimeoutOnSleepingServer},
	{"cancel_after_begin", interop.DoCancelAfterBegin},
	{"cancel_after_first_response", interop.DoCancelAfterFirstResponse},
	{"status_code_and_message", interop.DoStatusCodeAndMessage},
	{"special_status_message", interop.DoSpecialStatusMessage},
	{"custom_metadata", interop.DoCustomMetadata},
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve()
	case len(os.Args) == 4 && os.Args[1] == "call":
		call(os.Args[2], os.Args[3])
	default:
		log.Fatal("usage: grpc-go serve | call ADDRESS AUTHORITY")
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// Whoever asks more often than that is cut off: a sidecar must not.
	policy := keepalive.EnforcementPolicy{MinTime: 5 * time.Minute}
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(policy))
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve(listener))
}

func call(address, authority string) {
	keep := keepalive.ClientParameters{Time: 10 * time.Second}
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithAuthority(authority),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithKeepaliveParams(keep))
	if err != nil {
		log.Fatal(err)
	}
	client := testgrpc.NewTestServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, each := range cases {
		each.run(ctx, client)
		fmt.Println(each.name)
	}
	interop.DoUnimplementedMethod(ctx, connection)
	fmt.Println("unimplemented_method")
	interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(connection))
	fmt.Println("unimplemented_service")
	// What a connection is measured by: one message after another, each way.
	for range 100 {
		interop.DoPingPong(ctx, client)
	}
	fmt.Println("ping_pong x 100")
}
