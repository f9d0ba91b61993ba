package gateway

import "github.com/prometheus/client_golang/prometheus"

// Metrics count calls. No label grows with clients.
type Metrics struct {
	calls *prometheus.CounterVec
}

// NewMetrics registers the metrics of the gateway.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{calls: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "postern_calls_total",
		Help: "Calls by API, outcome and tier of the client: allowed, or the reason why it was refused or did not end well.",
	}, []string{"api", "outcome", "tier"})}
	reg.MustRegister(m.calls)
	return m
}

func (m *Metrics) call(c *call) {
	api, outcome := "", c.ex.Reason
	if c.verdict.API != nil {
		api = c.verdict.API.Name
	}
	if outcome == "" {
		outcome = "allowed"
	}
	m.calls.WithLabelValues(api, outcome, c.tier()).Inc()
}
