package declare

import "github.com/postern-dev/postern/internal/domain"

// originOf is where an object comes from, empty where no file has brought it in.
func originOf(v body) string { return *originIn(v) }

func originIn(v body) *string {
	switch v := v.(type) {
	case *domain.Tier:
		return &v.Origin
	case *domain.Policy:
		return &v.Origin
	case *domain.Issuer:
		return &v.Origin
	case *domain.Tenant:
		return &v.Origin
	case *domain.API:
		return &v.Origin
	case *domain.Client:
		return &v.Origin
	}
	return new(string) // there are no other kinds
}

// label is what people call the object.
func label(v body) string {
	switch v := v.(type) {
	case *domain.Policy:
		return v.Label
	case *domain.Tenant:
		return v.Label
	case *domain.API:
		return v.Label
	case *domain.Client:
		return v.Name
	}
	return ""
}
