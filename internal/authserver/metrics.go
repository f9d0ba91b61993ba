package authserver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/internal/request"
)

// Metrics count token requests. No label grows with clients.
type Metrics struct {
	requests *prometheus.CounterVec
}

// NewMetrics registers the metrics of the token endpoint.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "postern_token_requests_total",
		Help: "Token requests by issuer and outcome: issued, or the check that failed.",
	}, []string{"issuer", "outcome"})}
	reg.MustRegister(m.requests)
	return m
}

func (m *Metrics) token(ex *request.Exchange) {
	outcome := ex.Reason
	if outcome == "" {
		outcome = "issued"
	}
	m.requests.WithLabelValues(ex.Issuer, outcome).Inc()
}
