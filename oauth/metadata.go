package oauth

// MetadataPath is where an authorization server's metadata stands (RFC 8414 §3).
const MetadataPath = "/.well-known/oauth-authorization-server"

// Metadata describes an authorization server (RFC 8414 §2), as far as the
// client credentials grant has something to say.
type Metadata struct {
	Issuer                            string   `json:"issuer"`
	TokenEndpoint                     string   `json:"token_endpoint"`
	JWKSURI                           string   `json:"jwks_uri,omitempty"`
	ScopesSupported                   []string `json:"scopes_supported,omitempty"`
	ResponseTypesSupported            []string `json:"response_types_supported"` // REQUIRED; empty, as there is no authorization endpoint
	GrantTypesSupported               []string `json:"grant_types_supported"`
	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported"`
}
