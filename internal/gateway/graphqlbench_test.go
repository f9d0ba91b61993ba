package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// BenchmarkGraphQL compares a GraphQL call of 30 fields, whose plan is kept, with a REST POST
// of the same body through the same gateway, guard and all.
func BenchmarkGraphQL(b *testing.B) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{}}`)
	}))
	defer up.Close()
	n := newGraphTown(b, func(a *domain.API) {
		a.Upstream = up.URL
		a.Routes = []domain.Route{{Method: "POST", Path: "/studies/{study}/jobs", Parameters: []policy.Parameter{{Name: "study", Kind: "study"}}}}
	})
	n.update("c1", func(c *domain.Client) { c.Tier = "unlimited" })
	n.gateway.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	var document strings.Builder
	for i := range 10 {
		fmt.Fprintf(&document, " s%d: study(id: $i) { id name }", i)
	}
	body := `{"query":"query Q($i: ID!) {` + document.String() + ` }","variables":{"i":"s1"}}`
	for _, c := range []struct{ name, path string }{{"rest", "/v2/studies/s1/jobs"}, {"graphql", "/v2/graphql/v1"}} {
		b.Run(c.name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := http.NewRequest("POST", n.front.URL+c.path, strings.NewReader(body))
					r.Host = "api.example.com"
					r.Header.Set("Authorization", "Bearer "+n.bearer)
					r.Header.Set("Content-Type", "application/json")
					res, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					if _, _ = io.Copy(io.Discard, res.Body); res.StatusCode != 200 || res.ContentLength != 11 {
						b.Errorf("answered %d", res.StatusCode)
					}
					_ = res.Body.Close()
				}
			})
		})
	}
}
