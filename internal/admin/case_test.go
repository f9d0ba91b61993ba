package admin_test

import (
	"net/http"
	"testing"
)

// RULES: outside JSON is read with its names case-exact (D-02, D-74).
func TestNamesAreCaseExact(t *testing.T) {
	_, socket := start(t)
	for _, tc := range []struct{ name, path, body string }{
		{"upper case", "/clients", `{"Issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`},
		{"in two cases", "/issuers/main/keys/rotate", `{"kill":false,"Kill":true}`},
		{"in a list", "/apply", `{"files":[{"Name":"a.yaml","content":"kind: Tenant"}]}`},
		{"unknown", "/clients", `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"],"epoch":7}`},
	} {
		status, _, body := raw(t, socket, http.MethodPost, tc.path, tc.body, "Content-Type", "application/json")
		if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", tc.name, status, body)
		}
	}
}
