package admin

// requestExamples are examples of what to send, by operation.
func requestExamples() map[string]string {
	const tenant = "7b0d7b4e-3f0a-4c55-9d1c-0a1f7f3f4c11"
	return map[string]string{
		"create-client":     `{"issuer":"rfc","name":"Nightly export","tenant":"` + tenant + `","scopes":["reports:read"],"audiences":["https://api.example.com"],"policies":["reader"],"resource_scope":{"study":{"ids":["s1"]}}}`,
		"import-client":     `{"issuer":"legacy","id":"partner-7","name":"Imported","tenant":"` + tenant + `","audiences":["https://api.example.com"],"client_secret":"what the partner has now"}`,
		"update-client":     `{"scopes":["reports:read","reports:write"],"note":"agreed on Monday","lifetime":null}`,
		"rotate-client":     `{"kill":true}`,
		"put-tenant":        `{"label":"Example Hospital","resources":{"study":["s1","s2"]},"endpoints":["lookup"],"ceiling":{"scopes":["reports:read"],"policies":["reader"]}}`,
		"update-tenant":     `{"resources":{"study":["s1","s2","s3"]}}`,
		"rotate-key":        `{"purpose":"access","now":true}`,
		"apply":             `{"files":[{"name":"tiers.yaml","content":"kind: Tier\nname: gold\nper_minute: 6000\n"}]}`,
		"explain":           `{"issuer":"rfc","client":"7d6a2b1e-0f43-4f7c-8f1a-2f8b1c0d9e01","api":"reports","method":"GET","path":"/studies/s1"}`,
		"start-rotation":    `{"expires":604800}`,
		"complete-rotation": `{"kill":false}`,
		"begin-session":     `{"name":"ann@example.com","password":"correct horse battery staple"}`,
		"accept-link":       `{"token":"the-token-of-the-link","name":"ann@example.com","password":"correct horse battery staple"}`,
		"recover":           `{"name":"ann@example.com"}`,
		"create-person":     `{"name":"ann@example.com","role":"integration-manager","tenants":["` + tenant + `"],"all_issuers":true}`,
		"update-person":     `{"status":"disabled"}`,
		"create-api-key":    `{"label":"Nightly reports","role":"auditor","all_tenants":true,"all_issuers":true,"expires":"2027-01-01T00:00:00Z"}`,
		"put-resources":     `{"resources":[{"kind":"study","id":"s1","label":"Asthma, phase 3","tenant":"` + tenant + `"}]}`,
		"put-issuer":        `{"url":"https://id.example.com/stage","environment":"stage","dialect":"rfc","scopes":["reports:read"]}`,
		"update-issuer":     `{"scopes":["reports:read","reports:write"]}`,
		"put-api":           `{"audience":"https://api.example.com","issuers":["rfc"],"upstream":"https://reports.internal.example.com","routes":[{"method":"GET","path":"/studies/{id}","actions":["studies:read"],"parameters":[{"name":"id","kind":"study"}]}]}`,
		"update-api":        `{"rate_limits":{"premium":12000}}`,
		"put-policy":        `{"label":"Reader","actions":{"studies:read":"See studies"}}`,
		"update-policy":     `{"label":"Reads studies"}`,
		"put-tier":          `{"per_minute":6000}`,
		"update-tier":       `{"per_minute":9000}`,
		"import-key":        `{"jwk":{"kty":"EC","crv":"P-256","x":"…","y":"…","d":"…"},"sign":true}`,
	}
}
