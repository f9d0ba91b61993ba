package auditlog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/auditlog"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	one = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"
	two = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a22"
)

// desk is a surface over a real store in which much has happened.
type desk struct {
	t       *testing.T
	db      *sqlite.DB
	surface *auditlog.Surface
	refused error // of the next entries
	alive   func() bool
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, alive: func() bool { return true }}
	clock := func() time.Time { return start }
	var err error
	if d.db, err = sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.db.Close() })
	d.surface = auditlog.New(auditlog.Config{Trail: d.db, Now: clock, Record: func(ctx context.Context, e domain.Entry) error {
		if d.refused != nil {
			return d.refused
		}
		return d.db.Append(ctx, "n", []domain.Entry{e})
	}})
	return d
}

// happened keeps entries, a second apart; the first is of start.
func (d *desk) happened(list ...domain.Entry) {
	d.t.Helper()
	for i := range list {
		list[i].ID = domain.NewEventID(start.Add(time.Duration(i) * time.Second))
		if err := d.db.Append(d.t.Context(), "n", list[i:i+1]); err != nil {
			d.t.Fatal(err)
		}
	}
}

// changed keeps changes of objects.
func (d *desk) changed(put func(context.Context, domain.Tables) error, what domain.Change) {
	d.t.Helper()
	_, err := d.db.Change(d.t.Context(), "local:1", func(t domain.Tables) ([]domain.Change, error) { return []domain.Change{what}, put(d.t.Context(), t) })
	if err != nil {
		d.t.Fatal(err)
	}
}

func issuer(name string) *snapshot.Issuer { return &snapshot.Issuer{Issuer: domain.Issuer{Name: name}} }

// as is a verdict on a client of arb; without a tenant it is of all of them.
func as(tenant string) *guard.Verdict {
	return &guard.Verdict{
		API: &snapshot.API{Issuers: []*snapshot.Issuer{issuer("arb"), issuer("main")}}, Issuer: issuer("arb"), Path: "/",
		Client: &snapshot.Client{Client: domain.Client{ID: "c-" + tenant, Issuer: "arb", Tenant: tenant, PlatformWide: tenant == ""}},
	}
}

// key is a verdict on an API key at an API of arb alone.
func key(tenant string) *guard.Verdict {
	return &guard.Verdict{
		API: &snapshot.API{Issuers: []*snapshot.Issuer{issuer("arb")}}, Path: "/", Actor: &guard.Actor{Kind: guard.Key, ID: "k1", Tenant: tenant},
	}
}

// call answers one.
func (d *desk) call(v *guard.Verdict, path, query string) *httptest.ResponseRecorder {
	d.t.Helper()
	v.Path, v.RawQuery = path, query
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path+"?"+query, nil)
	ex := request.Begin(w, r, start, nil)
	ex.Source = netip.MustParseAddr("192.0.2.7")
	d.surface.Answer(&auditlog.Call{Request: r, Verdict: v, Exchange: ex, Alive: d.alive})
	return w
}

type page struct {
	Items      []map[string]any `json:"items"`
	NextCursor *string          `json:"next_cursor"`
}

func (d *desk) search(v *guard.Verdict, query string) page {
	d.t.Helper()
	w := d.call(v, "/", query)
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		d.t.Fatalf("%q: %d %s: %v", query, w.Code, w.Body, err)
	}
	return p
}

// of lists one member of the items.
func (p page) of(member string) (list []string) {
	for _, i := range p.Items {
		list = append(list, fmt.Sprint(i[member]))
	}
	return list
}

// town fills the store with what happened to whom.
func (d *desk) town() {
	d.happened(
		domain.Entry{Action: domain.TokenIssued, Issuer: "arb", Client: "c1", Tenant: one, Scope: "audit:read", SecretID: "s1", Source: "192.0.2.1", Correlation: "r-1"},
		domain.Entry{Action: "dlp_block", Issuer: "arb", Client: "c1", Tenant: one, Resource: "chat/7", Reason: "product", Details: `{"rule":"cards"}`, Source: "192.0.2.1"},
		domain.Entry{Action: domain.CallRefused, Issuer: "arb", Client: "c2", Tenant: two, Reason: "scope_missing", Resource: "chat GET /x", Count: 3},
		domain.Entry{Action: domain.TokenIssued, Issuer: "arb", Client: "wide"},
		domain.Entry{Action: domain.TokenIssued, Issuer: "main", Client: "c1", Tenant: one},
		domain.Entry{Action: domain.CallRefused, Issuer: "arb", Actor: "user:ann", Tenant: one, Reason: "role_unknown"},
		domain.Entry{Action: domain.TokenRefused, Issuer: "", Reason: "credentials_wrong"},
		domain.Entry{Action: "dlp_block", Issuer: "arb", Client: "c2", Tenant: two},
	)
	put := func(c domain.Client) {
		d.changed(func(ctx context.Context, t domain.Tables) error { _, err := t.Clients.Put(ctx, c, 0); return err },
			domain.Change{Kind: domain.KindClient, Key: c.Key(), Action: "client.create"})
	}
	put(domain.Client{Issuer: "arb", ID: "c1", Tenant: one, Name: "one"})
	put(domain.Client{Issuer: "arb", ID: "c2", Tenant: two, Name: "two"})
	put(domain.Client{Issuer: "main", ID: "c1", Tenant: one, Name: "elsewhere"})
	d.changed(func(ctx context.Context, t domain.Tables) error {
		_, err := t.Tiers.Put(ctx, domain.Tier{Name: "gold", PerMinute: 1}, 0)
		return err
	}, domain.Change{Kind: domain.KindTier, Key: "gold", Action: "tier.create"})
}

// ARB-17: a tenant's client sees what is its issuer's and its tenant's; one of the platform
// what is its issuer's; nobody what is another issuer's or of no issuer.
func TestWhoSeesWhat(t *testing.T) {
	d := newDesk(t)
	d.town()
	mine := []string{"call.refuse/" + one, "client.create/" + one, "dlp_block/" + one, "token.issue/" + one}
	theirs := []string{"call.refuse/" + two, "client.create/" + two, "dlp_block/" + two}
	for name, c := range map[string]struct {
		as   *guard.Verdict
		want []string
	}{
		"a client of one":        {as(one), mine},
		"a client of two":        {as(two), theirs},
		"a client of nobody yet": {as("7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a33"), nil},
		"a client of all":        {as(""), slices.Concat(mine, theirs, []string{"token.issue/<nil>"})},
		"a key of one":           {key(one), mine},
		"a key of all":           {key(""), slices.Concat(mine, theirs, []string{"token.issue/<nil>"})},
	} {
		for _, path := range []string{"/", "/export"} {
			var got []string
			items := d.call(c.as, path, "").Body.String()
			if path == "/" {
				for i, action := range d.search(c.as, "").of("action") {
					got = append(got, action+"/"+d.search(c.as, "").of("tenant_id")[i])
				}
			} else {
				for line := range strings.Lines(items) {
					var i map[string]any
					if err := json.Unmarshal([]byte(line), &i); err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					got = append(got, fmt.Sprint(i["action"], "/", i["tenant_id"]))
				}
			}
			slices.Sort(got)
			want := slices.Clone(c.want)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s (-want +got)\n%s", name, path, diff)
			}
		}
	}
	// Nobody chooses another's by a parameter.
	for _, query := range []string{"issuer=main", "tenant_id=" + two, "tenant=" + two, "client_id=c2"} {
		if w := d.call(as(one), "/", query); w.Code != 400 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// Who cannot be told from others sees nothing at all.
func TestNobodySeesNothing(t *testing.T) {
	d := newDesk(t)
	d.town()
	several, both, neither, tenantless, ghost, wide := key(one), as(one), as(one), as(one), as(one), as(one)
	several.API = as(one).API
	both.Actor = key(one).Actor
	neither.Client = nil
	tenantless.Client.Tenant = ""
	ghost.Issuer = issuer("")
	wide.Client.PlatformWide = true
	for name, v := range map[string]*guard.Verdict{"a key at two issuers": several, "a client and a key": both, "neither": neither, "a client of no tenant": tenantless,
		"an issuer without a name": ghost, "of a tenant and of all": wide} {
		for _, path := range []string{"/", "/export", "/events"} {
			if w := d.call(v, path, ""); w.Code != 500 || strings.Contains(w.Body.String(), "items") {
				t.Errorf("%s %s: %d %s", name, path, w.Code, w.Body)
			}
		}
	}
}

// leaky is a trail that finds more than it was asked for.
type leaky struct{ domain.Trail }

func (l leaky) Events(ctx context.Context, q domain.Query) ([]domain.Event, string, error) {
	q.Issuer, q.Tenant = "", ""
	return l.Trail.Events(ctx, q)
}

func TestLeakyTrail(t *testing.T) {
	d := newDesk(t)
	d.town()
	d.surface.Trail = leaky{d.db}
	for _, tenant := range d.search(as(one), "").of("tenant_id") {
		if tenant != one {
			t.Errorf("it shows what is of %s", tenant)
		}
	}
	if got := len(d.search(as(""), "").Items); got != 8 {
		t.Errorf("%d items, want 8", got)
	}
}

// ARB-17: an item has these members, whatever is known.
func TestItem(t *testing.T) {
	d := newDesk(t)
	d.town()
	items := d.search(as(""), "").Items
	slices.Reverse(items)
	text := func(i map[string]any) string {
		delete(i, "id")
		delete(i, "request_id")
		b, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	find := func(action string, n int) map[string]any {
		for _, i := range items {
			if i["action"] == action {
				if n--; n < 0 {
					return i
				}
			}
		}
		t.Fatalf("no %s", action)
		return nil
	}
	issue := find("token.issue", 0)
	if issue["id"] != issue["request_id"] || issue["id"] == "" {
		t.Errorf("%v", issue)
	}
	for _, c := range []struct {
		is   map[string]any
		want string
	}{
		{issue, `{"action":"token.issue","actor":"c1","client_id":"c1","created_at":"2026-11-23T12:00:00.000Z","details":{"correlation_id":"r-1","scope":"audit:read","secret_id":"s1"},` +
			`"outcome":"success","resource":null,"source":"192.0.2.1","tenant_id":"` + one + `"}`},
		{find("dlp_block", 0), `{"action":"dlp_block","actor":"c1","client_id":"c1","created_at":"2026-11-23T12:00:01.000Z","details":{"rule":"cards"},` +
			`"outcome":"refused","resource":"chat/7","source":"192.0.2.1","tenant_id":"` + one + `"}`},
		{find("dlp_block", 1), `{"action":"dlp_block","actor":"c2","client_id":"c2","created_at":"2026-11-23T12:00:07.000Z","details":null,` +
			`"outcome":"success","resource":null,"source":null,"tenant_id":"` + two + `"}`},
		{find("call.refuse", 0), `{"action":"call.refuse","actor":"c2","client_id":"c2","created_at":"2026-11-23T12:00:02.000Z","details":{"count":3,"reason":"scope_missing"},` +
			`"outcome":"refused","resource":"chat GET /x","source":null,"tenant_id":"` + two + `"}`},
		{find("call.refuse", 1), `{"action":"call.refuse","actor":"user:ann","client_id":null,"created_at":"2026-11-23T12:00:05.000Z","details":{"reason":"role_unknown"},` +
			`"outcome":"refused","resource":null,"source":null,"tenant_id":"` + one + `"}`},
	} {
		if got := text(c.is); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	change := find("client.create", 0)
	if change["actor"] != "local:1" || change["resource"] != "client/arb/c1" || change["request_id"] != nil || strings.Contains(fmt.Sprint(change), "hash") {
		t.Errorf("%v", change)
	}
}

// ARB-17: filters, half-open times, newest first, pages.
func TestSearch(t *testing.T) {
	d := newDesk(t)
	var list []domain.Entry
	for i := range 120 {
		action := domain.TokenIssued
		if i%2 == 1 {
			action = "dlp_block"
		}
		list = append(list, domain.Entry{Action: action, Issuer: "arb", Client: fmt.Sprint(i), Tenant: one})
	}
	d.happened(list...)
	for query, want := range map[string]struct {
		first, last string
		many        int
	}{
		"":                 {"119", "70", 50},
		"limit=1":          {"119", "119", 1},
		"limit=500":        {"119", "0", 120},
		"limit=":           {"119", "70", 50},
		"action=dlp_block": {"119", "21", 50},
		"action=no_such":   {"", "", 0},
		"action=":          {"119", "70", 50},
		"action=token.issue&created_after=2026-11-23T12:00:02Z&created_before=2026-11-23T12:00:06Z": {"4", "2", 2},
		"created_before=2026-11-23T12:00:02Z":                                                       {"1", "0", 2},
		"created_after=2026-11-23T12:01:58.5Z":                                                      {"119", "119", 1},
		"created_after=2026-11-23T12:00:02Z&created_before=2026-11-23T12:00:02Z":                    {"", "", 0},
	} {
		got := d.search(as(one), query).of("client_id")
		if len(got) != want.many || len(got) > 0 && (got[0] != want.first || got[len(got)-1] != want.last) {
			t.Errorf("%q: %d, %v", query, len(got), got)
		}
	}
	var all []string
	for cursor := ""; ; {
		p := d.search(as(one), "limit=7&action=dlp_block&cursor="+cursor)
		all = append(all, p.of("client_id")...)
		if p.NextCursor == nil {
			break
		}
		cursor = *p.NextCursor
	}
	if len(all) != 60 || all[0] != "119" || all[59] != "1" {
		t.Errorf("%d by pages", len(all))
	}
	if p := d.call(as(one), "/", "action=no_such").Body.String(); p != `{"items":[],"next_cursor":null}`+"\n" {
		t.Errorf("nothing is %s", p)
	}
}

// ARB-17, D-107: a bad value is 400, with what would be right.
func TestBadValues(t *testing.T) {
	d := newDesk(t)
	for query, says := range map[string]string{
		"limit=0": "from 1 to 500", "limit=501": "from 1 to 500", "limit=-1": "from 1 to 500", "limit=1e2": "from 1 to 500", "limit=+5": "from 1 to 500", "limit=05": "from 1 to 500",
		"limit=x": "from 1 to 500", "limit=99999999999999999999": "from 1 to 500", "limit=1&limit=2": "twice",
		"created_after=yesterday": "ISO 8601 in UTC", "created_after=2026-11-23": "ISO 8601 in UTC", "created_after=1795435200": "ISO 8601 in UTC",
		"created_after=2026-11-23T06:00:00": "ISO 8601 in UTC", "created_after=2026-11-23T06:00:00%2B01:00": "ISO 8601 in UTC", "created_after=2026-11-23T06:00:00-00:00": "ISO 8601 in UTC",
		"created_before=2026-02-30T00:00:00Z": "ISO 8601 in UTC", "created_before=0001-01-01T00:00:00Z": "ISO 8601 in UTC", "created_before=9999-01-01T00:00:00Z": "ISO 8601 in UTC",
		"created_after=2026-11-24T00:00:00Z&created_before=2026-11-23T00:00:00Z": "exchange them",
		"action=a%27%20OR%201=1": "name of one", "action=Dlp": "name of one", "action=dlp_block%00": "name of one", "action=%25": "name of one", "action=*": "name of one",
		"cursor=x": "next_cursor", "cursor=1.2.3": "next_cursor", "cursor=%27": "next_cursor", "order=asc": "none of action", "created_afer=2026-11-23T06:00:00Z": "none of action",
		"format=csv": "none of action", "Limit=5": "none of action", "a;b": "cannot be read",
	} {
		w := d.call(as(one), "/", query)
		var f struct{ Error, Error_description string } //nolint:revive // as it is called
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != 400 || f.Error != "invalid_request" || !strings.Contains(f.Error_description, says) {
			t.Errorf("%s: %d %s, want %q", query, w.Code, w.Body, says)
		}
	}
	for query, says := range map[string]string{"format=xml": "ndjson or csv", "limit=5": "none of action", "cursor=x": "none of action", "created_after=x": "ISO 8601 in UTC"} {
		if w := d.call(as(one), "/export", query); w.Code != 400 || !strings.Contains(w.Body.String(), says) || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("export %s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := d.call(as(one), "/else", ""); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}
