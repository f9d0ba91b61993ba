package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/strictjson"
)

// seed adds documents of both kinds.
func seed(f *testing.F) {
	for _, s := range []string{
		`{"client_id":"a","client\u005fid":"b"}`, `{"a":"\ud83d\ude00","b":""}`, `[1,-0.5E-7,true,null]`, `{"a":{"b":[{}]}}`,
		`"\ud800"`, "\"\xff\"", `{"a":"b"} x`, `01`, ` { } `,
	} {
		f.Add([]byte(s))
	}
}

// Whatever Check accepts, encoding/json accepts; whatever encoding/json accepts
// and Check does not, has one of the faults that encoding/json forgives.
func FuzzCheck(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		err := strictjson.Check(data)
		switch valid := json.Valid(data); {
		case err == nil && !valid:
			t.Fatalf("accepted, but not JSON: %q", data)
		case errors.Is(err, strictjson.ErrSyntax) && valid && utf8.Valid(data) && !bytes.Contains(bytes.ToLower(data), []byte(`\ud`)):
			t.Fatalf("refused, but JSON: %q", data)
		}
	})
}

// What Strings reads is what encoding/json reads.
func FuzzStrings(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := strictjson.Strings(data)
		if err != nil {
			return
		}
		got := make(map[string]string, len(members))
		for _, m := range members {
			got[m.Name] = m.Value
		}
		var want map[string]string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted, but encoding/json: %v", err)
		}
		if len(got) != len(members) || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// Unmarshal never sets a field that encoding/json would not, and reads the same.
func FuzzUnmarshal(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"kid":"k","list":[{"kid":"x"}],"any":[1,{"b":2}],"n":3,"text":{"K":"v"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want outer
		if err := strictjson.Unmarshal(data, &got); err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v, %v", got, want, err)
		}
	})
}

func BenchmarkStrings(b *testing.B) {
	body := []byte(`{"client_id":"5e0b4a60-1f4e-4a6c-9a51-5b2f6a0c9a11","client_secret":"pst_0123456789012345678901234567890123456789","audience":"https://api.example.com","grant_type":"client_credentials"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Strings(body); err != nil {
			b.Fatal(err)
		}
	}
}
