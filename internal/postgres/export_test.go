package postgres

// Encrypted reports whether no attempt to connect goes over plain text.
func Encrypted(a Address) bool {
	all := a.cfg.TLSConfig != nil
	for _, f := range a.cfg.Fallbacks {
		all = all && f.TLSConfig != nil
	}
	return all
}
