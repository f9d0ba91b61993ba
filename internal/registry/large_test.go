package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/dialect"
)

// large is a schema of more than 1.5 MB in which every field has its answers.
func large() string {
	var root, types strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&root, "  thing%d(id: ID! @scopedBy(kind: \"study\")): Thing%d @policy(policies: [[\"studies:read\"]])\n", i, i)
		fmt.Fprintf(&types, "\"\"\"\nA <thing> & \\ its \"fields\", ümlauts too.\n\"\"\"\ntype Thing%d @scoped(kind: \"study\") @authenticated {\n  id: ID!\n", i)
		for j := range 12 {
			fmt.Fprintf(&types, "  \"What field %d holds.\"\n  field%d(first: Int @paging): String @authenticated\n", j, j)
		}
		types.WriteString("}\n")
	}
	return "type Query {\n" + root.String() + "}\n" + types.String()
}

// A large schema goes the whole way: into SQLite and its feed, by a copy to PostgreSQL, and
// on from there.
func TestLargeSchema(t *testing.T) {
	target := pgtest.Start(t).Database(t)
	address, err := postgres.ParseAddress(target)
	file, dir := filepath.Join(t.TempDir(), "url"), filepath.Join(t.TempDir(), "data")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(errors.Join(err, os.WriteFile(file, []byte(target+"\n"), 0o600)))
	api := theGraph(large())
	if len(api.GraphQL.Schema) < 3<<19 {
		t.Fatalf("a schema of %d bytes is not large", len(api.GraphQL.Schema))
	}

	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	must(err)
	_, err = db.Change(t.Context(), by, func(tables domain.Tables) ([]domain.Change, error) {
		i := domain.Issuer{Name: "main", URL: "https://id.example.com", Dialect: "rfc"}
		_, err := tables.Issuers.Put(context.Background(), i, 0)
		return []domain.Change{{Kind: i.Kind(), Key: i.Key(), Action: "test.put"}}, err
	})
	must(err)
	made := putsLarge(t, db, api, 0)
	must(db.Close())

	_, err = server.Copy(t.Context(), dir, file)
	must(err)
	pg, err := postgres.Open(t.Context(), address, postgres.Options{Node: "a"})
	must(err)
	t.Cleanup(func() { _ = pg.Close() })
	kept, err := pg.Read().APIs.Get(t.Context(), "api")
	must(err)
	if diff := cmp.Diff(made, kept); diff != "" {
		t.Error("the copy differs")
	}
	api.GraphQL.Schema += "# changed\n"
	putsLarge(t, pg, api, 1)
}

// putsLarge puts the API over the version given, twice, and looks at what was kept and told.
func putsLarge(t *testing.T, store domain.Store, api domain.API, version int64) domain.API {
	t.Helper()
	reg := &registry.Registry{Store: store, Dialects: dialect.Builtin(), Now: time.Now}
	_, _, err := reg.PutPolicy(t.Context(), by, reader(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var made domain.API
	for range 2 { // the second changes nothing
		var warnings []registry.Warning
		if made, warnings, err = reg.PutAPI(t.Context(), by, api, 0); err != nil || warnings != nil || made.Version != version+1 {
			t.Fatalf("version %d, %v, %v", made.Version, warnings, err)
		}
	}
	kept, err := reg.GetAPI(t.Context(), "api")
	if err != nil || kept.GraphQL.Schema != api.GraphQL.Schema {
		t.Errorf("another schema is kept: %v", err)
	}
	feed, err := store.Follow(t.Context(), 0, 100)
	if err != nil || len(feed) == 0 {
		t.Fatal(err)
	}
	if last := feed[len(feed)-1]; last.Kind != domain.KindAPI || last.Version != version+1 || len(last.Object) < len(api.GraphQL.Schema) {
		t.Errorf("the feed ends with %s, version %d, %d bytes", last.Action, last.Version, len(last.Object))
	}
	return made
}
