// A Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager in one process on loopback, and
// of a kubelet what forwards ports.
//
//	apiserver --folder DIR [--port N] [--assets DIR]
//
// With assets, those of the three that are there run as programs of their own. Called by the name of one of the three,
// this program is that one.
//
// Certificates, kubeconfig and data are kept in DIR, so that a restart with the same folder and port goes on with
// them. One line of JSON on standard output says that it is ready. It ends on SIGTERM, and when standard input ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cliflag "k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controllermanageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

const (
	startTimeout = 90 * time.Second
	stopTimeout  = 3 * time.Second
)

type readyLine struct {
	Server     string `json:"server"`
	Kubeconfig string `json:"kubeconfig"`
	Etcd       string `json:"etcd"`
	Kubelet    int    `json:"kubelet"`
}

func main() {
	if status, known := asComponent(filepath.Base(os.Args[0])); known {
		os.Exit(status)
	}
	folder := flag.String("folder", "", "folder of certificates, kubeconfig and data")
	port := flag.Int("port", 0, "port of the API server; 0 picks a free one")
	programs := flag.String("assets", "", "folder with etcd and kube-apiserver, as KUBEBUILDER_ASSETS names it")
	flag.Parse()
	if *folder == "" {
		fail(errors.New("--folder is required"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := run(ctx, *folder, *port, *programs); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "apiserver:", err)
	os.Exit(1)
}

func run(ctx context.Context, folder string, port int, programs string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if port == 0 {
		if port, err = freePort(); err != nil {
			return err
		}
	}
	server := fmt.Sprintf("https://127.0.0.1:%d", port)
	files, err := openFiles(folder, server)
	if err != nil {
		return err
	}
	failed := make(chan error, 3)
	endpoint, stop, err := start(ctx, files, port, programs, failed)
	if err != nil {
		return err
	}
	if err := waitForDefaults(ctx, files.adminKubeconfig, failed); err != nil {
		return err
	}
	kubelet, err := serveKubelet(files)
	if err != nil {
		return err
	}
	line, err := json.Marshal(readyLine{Server: server, Kubeconfig: files.adminKubeconfig, Etcd: endpoint, Kubelet: kubelet})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = nil
	}
	// The API server drains for a minute where watches are open; nobody here waits for them.
	closed := make(chan struct{})
	go func() {
		stop()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(stopTimeout):
	}
	return err
}

// start gives etcd's address and how to stop it, when the API server is ready and the controllers have begun.
func start(ctx context.Context, files *files, port int, programs string, failed chan error) (string, func(), error) {
	if programs != "" {
		return startAssets(ctx, assets{programs}, files, port, failed)
	}
	etcd, endpoint, err := startEtcd(files.etcd)
	if err != nil {
		return "", nil, err
	}
	// Before those of the API server: it changes a feature's default, which no flags may know of yet.
	controllerManager, err := parseControllerManagerFlags(files)
	if err != nil {
		return "", nil, err
	}
	go func() { failed <- runAPIServer(ctx, apiServerFlags(files, endpoint, port)) }()
	if err := waitUntilReady(ctx, files.adminKubeconfig, failed); err != nil {
		return "", nil, err
	}
	go func() { failed <- runControllerManager(ctx, controllerManager) }()
	return endpoint, etcd.Close, nil
}

func startAssets(ctx context.Context, from assets, files *files, port int, failed chan error) (string, func(), error) {
	endpoint, err := from.startEtcd(ctx, files.etcd, failed)
	if err != nil {
		return "", nil, err
	}
	go func() { failed <- from.run(ctx, "kube-apiserver", apiServerFlags(files, endpoint, port)) }()
	if err := waitUntilReady(ctx, files.adminKubeconfig, failed); err != nil {
		return "", nil, err
	}
	if from.has("kube-controller-manager") {
		go func() { failed <- from.run(ctx, "kube-controller-manager", controllerManagerFlags(files)) }()
		return endpoint, func() {}, nil
	}
	controllerManager, err := parseControllerManagerFlags(files)
	if err != nil {
		return "", nil, err
	}
	go func() { failed <- runControllerManager(ctx, controllerManager) }()
	return endpoint, func() {}, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func startEtcd(folder string) (*embed.Etcd, string, error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	client := url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = folder
	config.ListenClientUrls = []url.URL{client}
	config.AdvertiseClientUrls = []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	config.AdvertisePeerUrls = []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "error"
	config.EnableGRPCGateway = true
	// What is killed is the process and not the machine.
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, endpoint, nil
	case <-time.After(startTimeout):
		etcd.Close()
		return nil, "", errors.New("etcd is not ready in time")
	}
}

func parseFlags(name string, named cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func apiServerFlags(files *files, etcd string, port int) []string {
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + files.servingCert,
		"--tls-private-key-file=" + files.servingKey,
		"--client-ca-file=" + files.caCert,
		"--authorization-mode=RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + files.serviceAccountKey,
		"--service-account-signing-key-file=" + files.serviceAccountKey,
		"--service-cluster-ip-range=10.96.0.0/16,fd96::/108",
		"--allow-privileged=true",
		"--enable-priority-and-fairness=true",
		"--endpoint-reconciler-type=none",
		"--audit-policy-file=" + files.auditPolicy,
		"--audit-log-path=" + files.auditLog,
	}
}

func runAPIServer(ctx context.Context, flags []string) error {
	options := apiserveroptions.NewServerRunOptions()
	if err := parseFlags("kube-apiserver", options.Flags(), flags); err != nil {
		return err
	}
	if err := compatibility.DefaultComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := options.Complete(ctx)
	if err != nil {
		return err
	}
	if problems := completed.Validate(); len(problems) > 0 {
		return errors.Join(problems...)
	}
	return apiserver.Run(ctx, completed)
}

func controllerManagerFlags(files *files) []string {
	return []string{
		"--kubeconfig=" + files.controllerManagerKubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + files.serviceAccountKey,
		"--root-ca-file=" + files.caCert,
		// There are no kubelets whose heartbeats could be missed.
		"--controllers=*,-node-lifecycle-controller,-bootstrap-signer-controller,-token-cleaner-controller,-node-ipam-controller",
	}
}

func parseControllerManagerFlags(files *files) (*controllermanageroptions.KubeControllerManagerOptions, error) {
	options, err := controllermanageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	flags := options.Flags(controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases())
	return options, parseFlags("kube-controller-manager", flags, controllerManagerFlags(files))
}

func runControllerManager(ctx context.Context, options *controllermanageroptions.KubeControllerManagerOptions) error {
	config, err := options.Config(ctx, controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases())
	if err != nil {
		return err
	}
	return controllermanager.Run(ctx, config.Complete())
}

func clientOf(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// waitFor tries until it succeeds, or one of the components fails, or the time is over.
func waitFor(ctx context.Context, what string, failed <-chan error, try func() error) error {
	deadline := time.After(startTimeout)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case fault := <-failed:
			return fmt.Errorf("%s: %w", what, fault)
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("%s: not in time: %w", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func waitUntilReady(ctx context.Context, kubeconfig string, failed <-chan error) error {
	client, err := clientOf(kubeconfig)
	if err != nil {
		return err
	}
	return waitFor(ctx, "kube-apiserver", failed, func() error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// waitForDefaults waits until pods can be made: namespace `default` has its ServiceAccount.
func waitForDefaults(ctx context.Context, kubeconfig string, failed <-chan error) error {
	client, err := clientOf(kubeconfig)
	if err != nil {
		return err
	}
	return waitFor(ctx, "kube-controller-manager", failed, func() error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
