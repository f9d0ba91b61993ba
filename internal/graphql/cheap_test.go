package graphql_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
)

// D-89: a list where one leaf belongs costs no tree of values.
func TestListForLeafIsCheap(t *testing.T) {
	s := loadText(t, listed, nil, graphql.Options{})
	plan, err := s.Plan(`query($i:ID!){study(id:$i){id}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	vars := []byte(`{"i":[` + strings.Repeat("1,", 200_000) + `1]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = plan.Need(vars)
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatal("a list is no id")
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 120*uint64(len(vars)) {
		t.Errorf("%d bytes for %d", got, len(vars))
	}
}
