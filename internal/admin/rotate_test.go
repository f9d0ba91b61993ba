package admin_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/admin"
)

// ARB-10: one new secret in place of all, and every token dead: the epoch says so.
func TestRotateKills(t *testing.T) {
	reg, socket := start(t)
	conn := admin.Dial(socket)
	made, err := conn.CreateClient(t.Context(), newClient())
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := conn.RotateClient(t.Context(), "main", made.ID, admin.SecretRotation{Kill: true})
	if err != nil || len(rotated.Secret) < 40 || rotated.Secret == made.Secret || rotated.Epoch != made.Epoch+1 || rotated.Version != made.Version+1 {
		t.Fatalf("%+v, %v", rotated.Client, err)
	}
	now, err := reg.GetClient(t.Context(), "main", made.ID)
	if err != nil || len(now.Secrets) != 1 || now.Secrets[0].ID == made.Secrets[0].ID || now.Epoch != rotated.Epoch {
		t.Errorf("%+v, %v", now, err)
	}
	var p *admin.Problem
	if _, err := conn.RotateClient(t.Context(), "main", "nobody", admin.SecretRotation{Kill: true}); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("of nobody: %v", err)
	}
}

// What is not asked for in so many words is not done.
func TestRotateMustSayKill(t *testing.T) {
	reg, socket := start(t)
	made, err := admin.Dial(socket).CreateClient(t.Context(), newClient())
	if err != nil {
		t.Fatal(err)
	}
	path := "/issuers/main/clients/" + made.ID + "/rotate"
	for name, tc := range map[string]struct {
		body     string
		status   int
		location string
	}{
		"false":      {`{"kill":false}`, http.StatusUnprocessableEntity, `"location":"kill"`},
		"left out":   {`{}`, http.StatusUnprocessableEntity, `"location":"kill"`},
		"a text":     {`{"kill":"true"}`, http.StatusUnprocessableEntity, `"location":"body.kill"`},
		"misspelt":   {`{"kil":true}`, http.StatusUnprocessableEntity, `"location":"body.kil"`},
		"other case": {`{"Kill":true}`, http.StatusUnprocessableEntity, "body"},
		"twice":      {`{"kill":false,"kill":true}`, http.StatusBadRequest, "a member twice"},
		"none":       {"", http.StatusBadRequest, "body is required"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, answer := raw(t, socket, http.MethodPost, path, tc.body, "Content-Type", isJSON)
			if status != tc.status || !strings.Contains(answer, tc.location) {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	if now, err := reg.GetClient(t.Context(), "main", made.ID); err != nil || now.Version != made.Version {
		t.Errorf("the client was changed: %+v, %v", now, err)
	}
}
