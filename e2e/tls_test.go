package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
)

// certify writes a certificate for the name and its key, and returns the certificate.
func certify(t *testing.T, files config.TLS, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"one.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{files.CertFile: {Type: "CERTIFICATE", Bytes: der}, files.KeyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// shown is the name in the certificate that a new handshake gets.
func shown(t *testing.T, address string) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is what is looked at
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// The files of a certificate are read again when they change; while they are broken, the
// old one stays. Tokens go over HTTP/1.1 and HTTP/2.
func TestTLSFilesReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := config.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	first := certify(t, files, "first")
	w, request := openOne(t, func(c *config.Config) { c.Listeners[0].TLS = &files })
	for _, h2 := range []bool{false, true} {
		overTLS(t, w.addresses[0], first, string(request), h2)
	}
	if got := shown(t, w.addresses[0]); got != "first" {
		t.Fatal(got)
	}
	if c, err := tls.Dial("tcp", w.addresses[0], &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // must fail
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if err := os.WriteFile(files.CertFile, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the files are looked at once a second
	if got := shown(t, w.addresses[0]); got != "first" {
		t.Errorf("with broken files: %s", got)
	}
	certify(t, files, "second")
	got := ""
	for range 30 {
		if got = shown(t, w.addresses[0]); got == "second" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("after the change: %s", got)
}

// overTLS gets a token by net/http's own client.
func overTLS(t *testing.T, address string, root *x509.Certificate, request string, h2 bool) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(root)
	transport := &http.Transport{
		ForceAttemptHTTP2: h2, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	_, body, _ := strings.Cut(request, "\r\n\r\n")
	resp, err := (&http.Client{Transport: transport}).Post("https://one.example/oauth2/token", "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || (resp.ProtoMajor == 2) != h2 {
		t.Errorf("%v %s %s: %s", err, resp.Proto, resp.Status, said)
	}
}
