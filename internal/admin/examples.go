package admin

// requestExamples are examples of what to send, by operation.
func requestExamples() map[string]string {
	const tenant = "7b0d7b4e-3f0a-4c55-9d1c-0a1f7f3f4c11"
	return map[string]string{
		"create-client":  `{"issuer":"rfc","name":"Nightly export","tenant":"` + tenant + `","scopes":["reports:read"],"audiences":["https://api.example.com"],"policies":["reader"],"resource_scope":{"study":{"ids":["s1"]}}}`,
		"import-client":  `{"issuer":"vibes","id":"VibesUser","name":"Imported","tenant":"` + tenant + `","audiences":["https://api.example.com"],"client_secret":"Password123"}`,
		"update-client":  `{"scopes":["reports:read","reports:write"],"note":"agreed on Monday","lifetime":null}`,
		"rotate-client":  `{"kill":true}`,
		"put-tenant":     `{"label":"Example Hospital","resources":{"study":["s1","s2"]},"endpoints":["lookup"],"ceiling":{"scopes":["reports:read"],"policies":["reader"]}}`,
		"update-tenant":  `{"resources":{"study":["s1","s2","s3"]}}`,
		"rotate-key":     `{"purpose":"access","now":true}`,
		"apply":          `{"files":[{"name":"tiers.yaml","content":"kind: Tier\nname: gold\nper_minute: 6000\n"}]}`,
		"explain":        `{"issuer":"rfc","client":"7d6a2b1e-0f43-4f7c-8f1a-2f8b1c0d9e01","api":"reports","method":"GET","path":"/studies/s1"}`,
		"start-rotation": `{"expires":604800}`,
	}
}
