package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswerSaysWhatCame(t *testing.T) {
	w := httptest.NewRecorder()
	serve(w, httptest.NewRequest("POST", "/v1/studies/a", strings.NewReader("12345")))
	if w.Code != 200 || w.Body.String() != `{"method":"POST","path":"/v1/studies/a","received":5}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
