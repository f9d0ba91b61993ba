package gateway_test

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// pooled are the buffers of the bare proxy: what is compared is not its want of them.
type pooled struct{ sync.Pool }

func (p *pooled) Get() []byte {
	if b, ok := p.Pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (p *pooled) Put(b []byte) { p.Pool.Put(&b) }

// BenchmarkGateway compares the gateway, all but the guard in it, with a bare
// httputil.ReverseProxy, in one process with upstream and caller.
func BenchmarkGateway(b *testing.B) {
	body := strings.Repeat("x", 1024)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	defer up.Close()
	at, err := url.Parse(up.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(at); pr.SetXForwarded() },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}, ErrorLog: log.New(io.Discard, "", 0), BufferPool: &pooled{}}
	s := sceneOf(b, nil)
	s.gateway.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	s.change(func(a *domain.API) { a.Upstream = up.URL })
	s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
		v.Resources = policy.ResourceScope{"study": {IDs: []string{"s1", "s2"}}}
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{{"bare", bare}, {"postern", s.gateway}} {
		for _, method := range []string{"GET", "POST"} {
			b.Run(c.name+"/"+method, func(b *testing.B) {
				front := httptest.NewServer(c.handler)
				defer front.Close()
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
				b.ReportAllocs()
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						var in io.Reader
						if method == "POST" {
							in = strings.NewReader(body)
						}
						req, _ := http.NewRequest(method, front.URL+"/v1/studies/s1", in)
						req.Header.Set("Authorization", "Bearer abc")
						req.Header.Set("Client", "c1")
						res, err := client.Do(req)
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					}
				})
			})
		}
	}
}
