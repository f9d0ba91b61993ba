package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// ending is a way to end what a client may do.
type ending struct {
	name    string
	refused int // status of the calls after it
	do      func(ctx context.Context, conn *admin.Conn, id string) error
}

func endings() []ending {
	return []ending{
		{"deleted", http.StatusUnauthorized, func(ctx context.Context, conn *admin.Conn, id string) error {
			return conn.DeleteClient(ctx, issuerName, id)
		}},
		{"disabled", http.StatusUnauthorized, func(ctx context.Context, conn *admin.Conn, id string) error {
			_, err := conn.DisableClient(ctx, issuerName, id)
			return err
		}},
		{"rotated with kill", http.StatusUnauthorized, func(ctx context.Context, conn *admin.Conn, id string) error {
			_, err := conn.RotateClient(ctx, issuerName, id, admin.SecretRotation{Kill: true})
			return err
		}},
		{"action taken from its policy", http.StatusForbidden, func(ctx context.Context, conn *admin.Conn, _ string) error {
			return putPolicy(ctx, conn, addAction)
		}},
	}
}

// putPolicy has the policy hold these actions and no others.
func putPolicy(ctx context.Context, conn *admin.Conn, actions ...string) error {
	var text strings.Builder
	text.WriteString("kind: Policy\nname: " + policyName + "\nactions:\n")
	for _, a := range actions {
		text.WriteString("  " + strconv.Quote(a) + ": for the benchmark\n")
	}
	_, err := conn.Apply(ctx, admin.Files{Files: []admin.File{{Name: "policy.yaml", Content: text.String()}}})
	return err
}

// newClient is a client like those that entitle makes.
func newClient() admin.NewClient {
	var c domain.Client
	entitle(&c, 0)
	return admin.NewClient{
		Issuer: issuerName, Name: "to be ended", Tenant: c.Tenant, Scopes: []string{scope}, Audiences: []string{audience},
		Policies: c.Policies, ResourceScope: c.ResourceScope, Tier: c.Tier,
	}
}

// askToken asks for a token.
func askToken(ctx context.Context, tokenURL string, c fixture.Client) (string, error) {
	body, err := firstToken(ctx, onceOnly(), tokenURL, c)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.Unmarshal(body, &answer)
	return answer.Token, err
}
