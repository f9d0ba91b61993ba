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

// An API behind a Postern gateway that believes the gateway instead of its caller: a token
// of another type, under other keys, in a header of its own. In production Keys is
// NewRemote of the issuer's `/.well-known/postern-identity-jwks.json`.
func ExampleIdentityToken() {
	gateway := oauthtest.New("urn:example:upstream") // stands in for it
	defer gateway.Close()
	trusted := gateway.Trusted(nil)
	trusted.Type = resourceserver.IdentityType
	verifier, err := resourceserver.New(resourceserver.Config{
		Issuers: []resourceserver.Issuer{trusted},
		Token:   resourceserver.IdentityToken,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := verifier.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := resourceserver.ClaimsFrom(r.Context())
		tenant, _ := claims.Text("tenant_id")
		fmt.Fprintf(w, "%s of %s", claims.ClientID, tenant)
	}))
	call := func(header, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	call(resourceserver.IdentityHeader, gateway.Identity(oauthtest.Claims{"tenant_id": "t1"}))
	call(resourceserver.IdentityHeader, gateway.Token("")) // an access token is none
	call("Authorization", "Bearer "+gateway.Identity(nil)) // and it is not looked for there
	// Output:
	// 200 oauthtest-client of t1
	// 401 {"error":"invalid_token","error_description":"the access token is not valid here"}
	//
	// 401
}
