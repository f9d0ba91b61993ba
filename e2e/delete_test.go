package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

const racing = `kind: Client
issuer: race
id: dd000000-0000-4000-8000-00000000000a
name: racing
platform_wide: true
audiences: ["urn:race"]
`

// D-38, D-40, ARB-10: tokens asked for while their client is deleted: whatever was issued is of
// a lower epoch than the client made again, and nothing is issued once the
// administrator has the answer.
func TestDeletionDuringIssuing(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	if _, err := w.create("kind: Issuer\nname: race\nurl: https://race.example\n"); err != nil {
		t.Fatal(err)
	}
	ctx, r := context.Background(), w.node.Registry
	highest := int64(0)
	for round := range 10 {
		list, err := w.create(racing)
		if err != nil {
			t.Fatal(err)
		}
		if list[0].Epoch <= highest {
			t.Fatalf("round %d: epoch %d, and tokens with %d are out", round, list[0].Epoch, highest)
		}
		var deleted atomic.Bool
		var asking sync.WaitGroup
		var issued [4]int64
		enough := make(chan struct{}, 1000)
		for i := range issued {
			asking.Go(func() { issued[i] = ask(t, w, list[0], &deleted, enough) })
		}
		for range 8 {
			<-enough
		}
		if err := r.DeleteClient(ctx, administrator, "race", list[0].ID, 0); err != nil {
			t.Fatal(err)
		}
		deleted.Store(true)
		asking.Wait()
		for _, epoch := range issued {
			highest = max(highest, epoch)
		}
		if highest == 0 {
			t.Fatal("no token was issued")
		}
	}
}

// ask asks for tokens until it is refused, and returns the highest epoch.
func ask(t *testing.T, w *world, c made, deleted *atomic.Bool, enough chan<- struct{}) (epoch int64) {
	conn := &wire{address: w.addresses[0]}
	defer conn.close()
	request := compose([]string{
		"POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "",
		"grant_type=client_credentials&client_id=" + c.ID + "&client_secret=" + string(c.secret),
	}, "race.example")
	for range 100_000 {
		late := deleted.Load()
		a, err := conn.send(request)
		switch {
		case err != nil:
			t.Error(err)
			return epoch
		case a.status == 200 && late:
			t.Error("a token after the deletion was answered")
			return epoch
		case a.status == 200:
			e, err := epochOf(tokenOf(a.body))
			if err != nil {
				t.Error(err)
			}
			epoch = max(epoch, e)
			select {
			case enough <- struct{}{}:
			default:
			}
		case a.status != 401:
			t.Errorf("%+v", a)
			return epoch
		case late:
			return epoch
		}
	}
	return epoch
}

// epochOf reads the first part of jti.
func epochOf(token string) (int64, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, fmt.Errorf("no token: %q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0, err
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return 0, err
	}
	epoch, _, _ := strings.Cut(claims.ID, ".")
	return strconv.ParseInt(epoch, 10, 64)
}

// ARB-08: a life above the dialect's is refused in an update as well, and changes nothing.
func TestLifetimeIsRefusedInAnUpdate(t *testing.T) {
	w := open(t, nil)
	if _, err := w.create("kind: Issuer\nname: race\nurl: https://race.example\ndialect: arbitex\n"); err != nil {
		t.Fatal(err)
	}
	list, err := w.create(racing)
	if err != nil {
		t.Fatal(err)
	}
	ctx, r := context.Background(), w.node.Registry
	for seconds, ok := range map[domain.Seconds]bool{86400: true, 86401: false, -1: false} {
		_, err := r.UpdateClient(ctx, administrator, "race", list[0].ID, 0, func(c *domain.Client) error {
			c.Lifetime = seconds
			return nil
		})
		if (err == nil) != ok {
			t.Errorf("%d: %v", seconds, err)
		}
	}
	if c, err := r.GetClient(ctx, "race", list[0].ID); err != nil || c.Lifetime != 86400 {
		t.Errorf("%v %d", err, c.Lifetime)
	}
}
