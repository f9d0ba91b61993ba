package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The bare proxy passes on what came, to the upstream's host, and its answer back.
func TestProxyPassesOn(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body)+" "+r.Header.Get("Authorization"))
	}))
	defer upstream.Close()
	u, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, pooled := range []bool{false, true} {
		proxy := newProxy(u, pooled)
		for range 2 { // the second gets the buffer of the first
			r := httptest.NewRequest(http.MethodPost, "http://proxy.example/v1/a", strings.NewReader("body"))
			r.Header.Set("Authorization", "Bearer t")
			w := httptest.NewRecorder()
			proxy.ServeHTTP(w, r)
			if w.Code != http.StatusTeapot || w.Body.String() != "POST /v1/a body Bearer t" {
				t.Errorf("pooled %v: %d %s", pooled, w.Code, w.Body)
			}
		}
	}
}
