package sample

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, h http.Handler, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/graphql/v1", strings.NewReader(body)))
	return strings.TrimSpace(w.Body.String())
}

func TestStudies(t *testing.T) { // TRI-06
	h := Studies()
	for _, c := range []struct{ name, body, want string }{
		{"the vendor's own", `{"query":"query GetStudy($id: ID!) { study(id: $id) { id studyName status } }","variables":{"id":"study_001"}}`,
			`{"data":{"study":{"id":"study_001","studyName":"Example Study","status":"ACTIVE"}}}`},
		{"nobody", `{"query":"{ study(id: \"x\") { id } }"}`, `{"data":{"study":null}}`},
		{"lists and nested objects", `{"query":"{ studies(status: ACTIVE, first: 1) { id candidateCount sites { id study { id } candidates { id referrer { name } } referrers { id } } } studyCount }"}`,
			`{"data":{"studies":[{"id":"study_001","candidateCount":3,"sites":[` +
				`{"id":"site_011","study":{"id":"study_001"},"candidates":[{"id":"cand_0001","referrer":{"name":"Dr. Falk"}},{"id":"cand_0002","referrer":null}],"referrers":[{"id":"ref_101"}]},` +
				`{"id":"site_012","study":{"id":"study_001"},"candidates":[{"id":"cand_0003","referrer":{"name":"Dr. Moen"}}],"referrers":[{"id":"ref_102"}]}]}],"studyCount":3}}`},
		{"an interface", `{"query":"{ places { __typename name ... on Site { study { id } } } }"}`,
			`{"data":{"places":[{"__typename":"Site","name":"Harbour Clinic","study":{"id":"study_001"}},{"__typename":"Site","name":"Hill Hospital","study":{"id":"study_001"}},` +
				`{"__typename":"Site","name":"Lake Practice","study":{"id":"study_002"}},{"__typename":"Site","name":"North Ward","study":{"id":"study_003"}},` +
				`{"__typename":"Referrer","name":"Dr. Falk"},{"__typename":"Referrer","name":"Dr. Moen"},{"__typename":"Referrer","name":"Dr. Salo"}]}}`},
		{"a union", `{"query":"{ search(text: \"tampere\") { ... on Site { id } ... on Referrer { name } } }"}`,
			`{"data":{"search":[{"id":"site_021"},{"name":"Dr. Salo"}]}}`},
		{"one of a site", `{"query":"{ a: candidate(siteId: \"site_011\", id: \"cand_0001\") { initials siteId } b: candidate(siteId: \"site_012\", id: \"cand_0001\") { initials } }"}`,
			`{"data":{"a":{"initials":"A.B.","siteId":"site_011"},"b":null}}`},
		{"mutations", `{"query":"mutation { setStudyStatus(id: \"study_003\", status: ACTIVE) { status } registerCandidate(input: {siteId: \"site_031\", initials: \"M.N.\"}) { id status } }"}`,
			`{"data":{"setStudyStatus":{"status":"ACTIVE"},"registerCandidate":{"id":"cand_0007","status":"NEW"}}}`},
		{"after them", `{"query":"{ studies(after: \"study_002\") { status } candidates(siteId: \"site_031\") { initials } site(studyId: \"study_002\", id: \"site_031\") { id } }"}`,
			`{"data":{"studies":[{"status":"ACTIVE"}],"candidates":[{"initials":"K.L."},{"initials":"M.N."}],"site":null}}`},
		{"no site", `{"query":"mutation { registerCandidate(input: {siteId: \"x\", initials: \"y\"}) { id } }"}`,
			`{"errors":[{"message":"there is no site \"x\"","path":["registerCandidate"]}],"data":{"registerCandidate":null}}`},
		{"no JSON", `{`, `{"errors":[{"message":"send a JSON object with query and variables"}]}`},
	} {
		if got := ask(t, h, c.body); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}
