package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// files are the paths of what the components read.
type files struct {
	caCert, servingCert, servingKey, serviceAccountKey string
	adminKubeconfig, controllerManagerKubeconfig       string
	auditPolicy, auditLog, etcd                        string
}

// Whatever weft's ServiceAccounts ask for, and nothing else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata, userGroups: ["system:serviceaccounts:weft"]}]
`

type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// openFiles makes what is missing in the folder; a folder that has been used before is used again as it is.
func openFiles(folder, server string) (*files, error) {
	of := func(name string) string { return filepath.Join(folder, name) }
	made := &files{
		caCert:                      of("ca.crt"),
		servingCert:                 of("serving.crt"),
		servingKey:                  of("serving.key"),
		serviceAccountKey:           of("service-account.key"),
		adminKubeconfig:             of("admin.kubeconfig"),
		controllerManagerKubeconfig: of("controller-manager.kubeconfig"),
		auditPolicy:                 of("audit-policy.yaml"),
		auditLog:                    of("audit.log"),
		etcd:                        of("etcd"),
	}
	if _, err := os.Stat(made.adminKubeconfig); !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(made.auditPolicy, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	ca, err := makeAuthority(made.caCert)
	if err != nil {
		return nil, err
	}
	if err := makeKeyFile(made.serviceAccountKey); err != nil {
		return nil, err
	}
	serving := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(10, 96, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, key, err := ca.issue(serving)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(made.servingCert, cert, 0o600), os.WriteFile(made.servingKey, key, 0o600)); err != nil {
		return nil, err
	}
	manager := pkix.Name{CommonName: "system:kube-controller-manager"}
	if err := ca.writeKubeconfig(made.controllerManagerKubeconfig, server, made.caCert, manager); err != nil {
		return nil, err
	}
	// The last one, whose being there says that all of them are.
	admin := pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}
	return made, ca.writeKubeconfig(made.adminKubeconfig, server, made.caCert, admin)
}

func makeAuthority(file string) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "kubernetes"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &issuer{cert, key}, os.WriteFile(file, encode("CERTIFICATE", der), 0o600)
}

func (ca *issuer) issue(template *x509.Certificate) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, nil, err
	}
	template.NotBefore, template.NotAfter = ca.cert.NotBefore, ca.cert.NotAfter
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, private.Public(), ca.key)
	if err != nil {
		return nil, nil, err
	}
	keyDer, err := x509.MarshalECPrivateKey(private)
	return encode("CERTIFICATE", der), encode("EC PRIVATE KEY", keyDer), err
}

func (ca *issuer) writeKubeconfig(file, server, caFile string, subject pkix.Name) error {
	cert, key, err := ca.issue(&x509.Certificate{
		Subject:     subject,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos["test"] = &api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, file)
}

func makeKeyFile(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, encode("EC PRIVATE KEY", der), 0o600)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
