package sample

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/graph-gophers/graphql-go"
)

// StudiesSchema is the schema of the GraphQL sample with the rules that the gateway
// holds it to; the sample itself knows nothing of them.
//
//go:embed studies.graphql
var StudiesSchema string

// maxDocument bounds a GraphQL request, in bytes.
const maxDocument = 256 << 10

// Studies is a GraphQL API of clinical studies. It answers whoever asks: who may is
// the gateway's business.
func Studies() http.Handler {
	schema := graphql.MustParseSchema(StudiesSchema, &studies{data: newTrials()}, graphql.UseFieldResolvers()) // both are of this package
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Query         string         `json:"query"`
			OperationName string         `json:"operationName"`
			Variables     map[string]any `json:"variables"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDocument)).Decode(&in); err != nil {
			http.Error(w, `{"errors":[{"message":"send a JSON object with query and variables"}]}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(schema.Exec(r.Context(), in.Query, in.OperationName, in.Variables)) // a caller that is gone needs no answer
	})
}

// trials is the data: every list in the order of ids.
type trials struct {
	mu         sync.RWMutex
	studies    []*study
	sites      []*site
	referrers  []*referrer
	candidates []*candidate
}

type study struct {
	ID        graphql.ID
	StudyName string
	Status    string
	data      *trials
}

type site struct {
	ID         graphql.ID
	Name, City string
	study      graphql.ID
	data       *trials
}

type referrer struct {
	ID         graphql.ID
	Name, City string
	sites      []graphql.ID
}

type candidate struct {
	ID, SiteID graphql.ID
	Initials   string
	Status     string
	referrer   graphql.ID
	data       *trials
}

// newTrials has three studies, so that one too many would be seen.
func newTrials() *trials {
	d := &trials{}
	for _, s := range [][3]string{{"study_001", "Example Study", "ACTIVE"}, {"study_002", "Winter Asthma", "ACTIVE"}, {"study_003", "Second Look", "PLANNED"}} {
		d.studies = append(d.studies, &study{graphql.ID(s[0]), s[1], s[2], d})
	}
	for _, s := range [][4]string{
		{"site_011", "Harbour Clinic", "Gothenburg", "study_001"}, {"site_012", "Hill Hospital", "Bergen", "study_001"},
		{"site_021", "Lake Practice", "Tampere", "study_002"}, {"site_031", "North Ward", "Oulu", "study_003"},
	} {
		d.sites = append(d.sites, &site{graphql.ID(s[0]), s[1], s[2], graphql.ID(s[3]), d})
	}
	for _, r := range [][4]string{{"ref_101", "Dr. Falk", "Gothenburg", "site_011"}, {"ref_102", "Dr. Moen", "Bergen", "site_012"}, {"ref_201", "Dr. Salo", "Tampere", "site_021"}} {
		d.referrers = append(d.referrers, &referrer{graphql.ID(r[0]), r[1], r[2], []graphql.ID{graphql.ID(r[3])}})
	}
	for _, c := range [][5]string{
		{"cand_0001", "site_011", "A.B.", "NEW", "ref_101"}, {"cand_0002", "site_011", "C.D.", "SCREENED", ""},
		{"cand_0003", "site_012", "E.F.", "ENROLLED", "ref_102"}, {"cand_0004", "site_021", "G.H.", "NEW", "ref_201"},
		{"cand_0005", "site_021", "I.J.", "REJECTED", ""}, {"cand_0006", "site_031", "K.L.", "NEW", ""},
	} {
		d.candidates = append(d.candidates, &candidate{graphql.ID(c[0]), graphql.ID(c[1]), c[2], c[3], graphql.ID(c[4]), d})
	}
	return d
}

// find returns the first of the list that is looked for, nil where there is none.
func find[T any](d *trials, list *[]*T, is func(*T) bool) *T {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if i := slices.IndexFunc(*list, is); i >= 0 {
		return (*list)[i]
	}
	return nil
}

// all returns those of the list that are looked for.
func all[T any](d *trials, list *[]*T, is func(*T) bool) []*T {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found := []*T{}
	for _, v := range *list {
		if is(v) {
			found = append(found, v)
		}
	}
	return found
}

// first cuts a list to the number that was asked for.
func first[T any](list []T, n *int32) []T {
	if n == nil || *n < 0 || int(*n) >= len(list) {
		return list
	}
	return list[:*n]
}

// The fields of Study.

func (s *study) Sites() []*site {
	return all(s.data, &s.data.sites, func(x *site) bool { return x.study == s.ID })
}

func (s *study) CandidateCount() int32 {
	n := int32(0)
	for _, at := range s.Sites() {
		n += int32(len(at.Candidates())) //nolint:gosec // a sample
	}
	return n
}

// The fields of Site.

func (s *site) Study() *study {
	return find(s.data, &s.data.studies, func(x *study) bool { return x.ID == s.study })
}

func (s *site) Candidates() []*candidate {
	return all(s.data, &s.data.candidates, func(x *candidate) bool { return x.SiteID == s.ID })
}

func (s *site) Referrers() []*referrer {
	return all(s.data, &s.data.referrers, func(x *referrer) bool { return slices.Contains(x.sites, s.ID) })
}

// Referrer is who sent the candidate, if anybody did.
func (c *candidate) Referrer() *referrer {
	return find(c.data, &c.data.referrers, func(x *referrer) bool { return x.ID == c.referrer })
}

// place is what the interface Place is resolved to.
type place struct{ any }

func (p place) ToSite() (*site, bool)         { s, ok := p.any.(*site); return s, ok }
func (p place) ToReferrer() (*referrer, bool) { r, ok := p.any.(*referrer); return r, ok }
func (p place) ID() graphql.ID {
	if s, ok := p.ToSite(); ok {
		return s.ID
	}
	return p.any.(*referrer).ID //nolint:forcetypeassert // a place is one of the two
}

func (p place) Name() string {
	if s, ok := p.ToSite(); ok {
		return s.Name
	}
	return p.any.(*referrer).Name //nolint:forcetypeassert // a place is one of the two
}

func (p place) City() string {
	if s, ok := p.ToSite(); ok {
		return s.City
	}
	return p.any.(*referrer).City //nolint:forcetypeassert // a place is one of the two
}

// hit is what the union Hit is resolved to.
type hit struct{ any }

func (h hit) ToStudy() (*study, bool)         { s, ok := h.any.(*study); return s, ok }
func (h hit) ToSite() (*site, bool)           { s, ok := h.any.(*site); return s, ok }
func (h hit) ToReferrer() (*referrer, bool)   { r, ok := h.any.(*referrer); return r, ok }
func (h hit) ToCandidate() (*candidate, bool) { c, ok := h.any.(*candidate); return c, ok }

// studies resolves the fields of Query and Mutation.
type studies struct{ data *trials }

func (q *studies) Study(in struct{ ID graphql.ID }) *study {
	return find(q.data, &q.data.studies, func(s *study) bool { return s.ID == in.ID })
}

func (q *studies) Studies(in struct {
	Status *string
	First  *int32
	After  *graphql.ID
}) []*study {
	return first(all(q.data, &q.data.studies, func(s *study) bool {
		return (in.Status == nil || s.Status == *in.Status) && (in.After == nil || s.ID > *in.After)
	}), in.First)
}

func (q *studies) StudyCount() int32 { return int32(len(q.data.studies)) } //nolint:gosec // three

func (q *studies) Site(in struct{ StudyID, ID graphql.ID }) *site {
	return find(q.data, &q.data.sites, func(s *site) bool { return s.ID == in.ID && s.study == in.StudyID })
}

func (q *studies) Referrer(in struct{ ID graphql.ID }) *referrer {
	return find(q.data, &q.data.referrers, func(r *referrer) bool { return r.ID == in.ID })
}

func (q *studies) Candidates(in struct {
	SiteID graphql.ID
	Status *string
	First  *int32
}) []*candidate {
	return first(all(q.data, &q.data.candidates, func(c *candidate) bool {
		return c.SiteID == in.SiteID && (in.Status == nil || c.Status == *in.Status)
	}), in.First)
}

func (q *studies) Candidate(in struct{ SiteID, ID graphql.ID }) *candidate {
	return find(q.data, &q.data.candidates, func(c *candidate) bool { return c.ID == in.ID && c.SiteID == in.SiteID })
}

func (q *studies) Places() []place {
	list := []place{}
	for _, s := range q.data.sites {
		list = append(list, place{s})
	}
	for _, r := range q.data.referrers {
		list = append(list, place{r})
	}
	return list
}

func (q *studies) Search(in struct{ Text string }) []hit {
	list := []hit{}
	has := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), strings.ToLower(in.Text)) })
	}
	for _, s := range all(q.data, &q.data.studies, func(s *study) bool { return has(s.StudyName) }) {
		list = append(list, hit{s})
	}
	for _, s := range q.data.sites {
		if has(s.Name, s.City) {
			list = append(list, hit{s})
		}
	}
	for _, r := range q.data.referrers {
		if has(r.Name, r.City) {
			list = append(list, hit{r})
		}
	}
	for _, c := range all(q.data, &q.data.candidates, func(c *candidate) bool { return has(c.Initials) }) {
		list = append(list, hit{c})
	}
	return list
}

func (q *studies) SetStudyStatus(in struct {
	ID     graphql.ID
	Status string
}) *study {
	q.data.mu.Lock()
	defer q.data.mu.Unlock()
	for i, s := range q.data.studies {
		if s.ID == in.ID {
			changed := *s // others may be reading the old one
			changed.Status = in.Status
			q.data.studies[i] = &changed
			return &changed
		}
	}
	return nil
}

// maxCandidates bounds what callers can fill the memory with.
const maxCandidates = 1000

func (q *studies) RegisterCandidate(in struct {
	Input struct {
		SiteID     graphql.ID
		ReferrerID *graphql.ID
		Initials   string
	}
}) (*candidate, error) {
	if find(q.data, &q.data.sites, func(s *site) bool { return s.ID == in.Input.SiteID }) == nil {
		return nil, fmt.Errorf("there is no site %q", in.Input.SiteID)
	}
	q.data.mu.Lock()
	defer q.data.mu.Unlock()
	if len(q.data.candidates) >= maxCandidates {
		return nil, fmt.Errorf("this sample holds %d candidates at most; start it again", maxCandidates)
	}
	c := &candidate{
		ID: graphql.ID(fmt.Sprintf("cand_%04d", len(q.data.candidates)+1)), SiteID: in.Input.SiteID, Initials: in.Input.Initials, Status: "NEW", data: q.data,
	}
	if in.Input.ReferrerID != nil {
		c.referrer = *in.Input.ReferrerID
	}
	q.data.candidates = append(q.data.candidates, c)
	return c, nil
}
