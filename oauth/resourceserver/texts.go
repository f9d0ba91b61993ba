package resourceserver

import (
	"sync"

	"github.com/postern-dev/postern/internal/strictjson"
)

// texts are the claims of one token that are strings. They are read when the first one is
// asked for: most APIs ask for none. A token has at most jwt.MaxSize bytes, and so
// have they.
type texts struct {
	once sync.Once
	list []strictjson.Member
}

// get returns the one of this name in the payload, which is always the same.
func (t *texts) get(payload []byte, name string) (string, bool) {
	t.once.Do(func() { t.list = textsOf(payload) })
	for i := range t.list {
		if t.list[i].Name == name {
			return t.list[i].Value, true
		}
	}
	return "", false
}

func textsOf(payload []byte) []strictjson.Member {
	members, err := strictjson.Object(payload)
	if err != nil {
		return nil
	}
	var list []strictjson.Member
	for _, m := range members {
		if s, err := strictjson.String(m.Value); err == nil {
			list = append(list, strictjson.Member{Name: m.Name, Value: s})
		}
	}
	return list
}
