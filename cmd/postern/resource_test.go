package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/admin"
)

func TestReadResources(t *testing.T) {
	want := []admin.NewNamedResource{{Kind: "study", ID: "7", Label: `Asthma, "phase" 2`, Tenant: "t1"}, {Kind: "site", ID: "8", Label: "line\nbreak"}}
	for name, text := range map[string]string{
		"all columns":      "kind,id,label,tenant\nstudy,7,\"Asthma, \"\"phase\"\" 2\",t1\nsite,8,\"line\nbreak\",\n",
		"as a spreadsheet": "\ufeffKind,ID,Label,Tenant\r\nstudy,7,\"Asthma, \"\"phase\"\" 2\",t1\r\nsite,8,\"line\nbreak\",\r\n",
		"in another order": "tenant,label,id,kind\nt1,\"Asthma, \"\"phase\"\" 2\",7,study\n,\"line\nbreak\",8,site\n",
	} {
		got, err := readResources([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "no label": "kind,id\na,b\n", "an unknown column": "kind,id,label,color\n", "a column twice": "kind,id,label,id\n",
		"a short row": "kind,id,label\na,b\n", "a quote": "kind,id,label\na,b,\"c\n",
	} {
		if got, err := readResources([]byte(text)); err == nil {
			t.Errorf("%s is read: %v", name, got)
		}
	}
}
