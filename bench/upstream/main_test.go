package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswerSaysWhatCame(t *testing.T) {
	w := httptest.NewRecorder()
	(&api{}).ServeHTTP(w, httptest.NewRequest("POST", "/v1/studies/a", strings.NewReader("12345")))
	if w.Code != 200 || w.Body.String() != `{"method":"POST","path":"/v1/studies/a","received":5}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A question is answered by its names: lists by the plural, the study by the variables.
func TestAnswerToAQuestion(t *testing.T) {
	const query = `query Q($study: ID!) { study(id: $study) { id status k: studyId sponsor { id } sites { ...S } } } fragment S on Site { name }`
	const site = `{"name":"the name"}`
	const want = `{"data":{"study":{"id":"s7","status":"the status","k":"s7","sponsor":{"id":"the id"},"sites":[` + site + "," + site + "," + site + `]}}}`
	a := &api{}
	for range 2 { // the second time the document is known
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("POST", "/v1/graphql", strings.NewReader(`{"query":"`+query+`","variables":{"study":"s7"}}`)))
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	for _, bad := range []string{`{"query":"{"}`, `{"query":""}`, `{"query":`} {
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(bad))); w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}
