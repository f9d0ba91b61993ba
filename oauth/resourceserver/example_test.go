package resourceserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// An API of two routes: everybody with a good token may look, and to change
// something takes a scope. In production Issuers is written as in ExampleNew.
func Example() {
	issuer := oauthtest.New("https://api.example.com") // stands in for the authorization server
	defer issuer.Close()
	verifier, err := resourceserver.New(resourceserver.Config{
		Realm:   "reports",
		Issuers: []resourceserver.Issuer{issuer.Trusted(nil)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /reports", func(w http.ResponseWriter, r *http.Request) {
		claims, _ := resourceserver.ClaimsFrom(r.Context())
		fmt.Fprintf(w, "reports for %s", claims.ClientID)
	})
	write := resourceserver.RequireScope("reports:write")
	mux.Handle("POST /reports", write(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "written")
	})))
	api := httptest.NewServer(verifier.Require(mux))
	defer api.Close()

	call := func(method, token string) {
		req, _ := http.NewRequest(method, api.URL+"/reports", nil)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if challenge := resp.Header.Get("WWW-Authenticate"); challenge != "" {
			body = []byte(challenge)
		}
		fmt.Printf("%d %s\n", resp.StatusCode, body)
	}
	call("GET", issuer.Token("reports:read"))
	call("POST", issuer.Token("reports:write"))
	call("POST", issuer.Token("reports:read"))
	call("GET", issuer.Expired("reports:read"))
	call("GET", "")
	// Output:
	// 200 reports for oauthtest-client
	// 201 written
	// 403 Bearer realm="reports", error="insufficient_scope", error_description="the access token lacks a scope that is required here", scope="reports:write"
	// 401 Bearer realm="reports", error="invalid_token", error_description="the access token is not valid here"
	// 401 Bearer realm="reports"
}

// Two issuers, the second with the `typ` of its contract.
func ExampleNew() {
	keys := func(url string) *resourceserver.Remote {
		r, err := resourceserver.NewRemote(resourceserver.RemoteConfig{URL: url})
		if err != nil {
			panic(err)
		}
		return r
	}
	_, err := resourceserver.New(resourceserver.Config{Issuers: []resourceserver.Issuer{
		{URL: "https://as.example.com", Audience: "https://api.example.com", Keys: keys("https://as.example.com/.well-known/jwks.json")},
		{URL: "https://old.example.com", Audience: "https://api.example.com", Type: "JWT", Keys: keys("https://old.example.com/jwks")},
	}})
	fmt.Println(err)
	// Output: <nil>
}

// Without HTTP: whatever carries the token, Verify judges it.
func ExampleVerifier_Verify() {
	issuer := oauthtest.New("urn:example:queue")
	defer issuer.Close()
	verifier, err := resourceserver.New(resourceserver.Config{Issuers: []resourceserver.Issuer{issuer.Trusted(nil)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, token := range []string{issuer.Token("queue:read"), issuer.WrongAudience("queue:read"), issuer.Foreign("queue:read")} {
		claims, err := verifier.Verify(context.Background(), "192.0.2.1", token)
		fmt.Println(claims.HasScope("queue:read"), err)
	}
	// Output:
	// true <nil>
	// false access token is not valid here: token is for another audience
	// false access token is not valid here: token has a wrong signature
}

// An upstream that believes a gateway instead of the caller: a token of its own
// type, from one issuer, for this upstream alone.
func ExampleIssuer_identityToken() {
	gateway := oauthtest.New("urn:example:upstream")
	defer gateway.Close()
	trusted := gateway.Trusted(nil)
	trusted.Type = "upstream-identity+jwt"
	verifier, err := resourceserver.New(resourceserver.Config{Issuers: []resourceserver.Issuer{trusted}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = verifier.Verify(context.Background(), "192.0.2.1", gateway.Token("")) // an access token is none
	fmt.Println(err)
	claims, err := verifier.Verify(context.Background(), "192.0.2.1", gateway.OfType("upstream-identity+jwt", ""))
	fmt.Println(claims.ClientID, err)
	// Output:
	// access token is not valid here: token is of another type
	// oauthtest-client <nil>
}
