package web

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// routes are all there is on the people's listener: pages, actions, API, and
// what was mounted (PromQL, metrics, health). Who may use each stands in
// collector/people, access.go.
func (s *Site) routes(assets http.Handler) {
	m := s.gate
	m.HandleFunc("GET /{$}", s.page("overview", "overview", s.overview))
	m.HandleFunc("GET /services/{name}", s.page("service", "overview", s.service))
	m.HandleFunc("GET /services/{name}/explain", s.page("explain", "overview", s.explanation))
	m.HandleFunc("GET /hosts", s.page("hosts", "hosts", s.hosts))
	m.HandleFunc("GET /hosts/{instance}", s.page("host", "hosts", s.host))
	m.HandleFunc("GET /outages/{id}", s.page("outage", "overview", s.outage))
	m.HandleFunc("GET /problems", s.page("problems", "problems", s.problems))
	m.HandleFunc("GET /problems/{no}", s.page("problem", "problems", s.problem))
	m.HandleFunc("GET /reports", s.page("reports", "reports", s.reports))
	m.HandleFunc("GET /periods", s.page("periods", "reports", s.periods))
	m.HandleFunc("POST /periods", s.post(s.periodForm()))
	m.HandleFunc("/", s.page("error", "", s.nothing))
	m.HandleFunc("POST /actions/{name}", s.act)
	m.HandleFunc("GET /login", unlessIn(s.page("login", "", s.login)))
	m.HandleFunc("POST /login", s.post(s.loginForm()))
	m.HandleFunc("POST /logout", s.logout)
	m.HandleFunc("GET /setup", s.page("setup", "", s.setup))
	m.HandleFunc("POST /setup", s.post(s.setupForm()))
	m.HandleFunc("GET /account", s.page("account", "account", s.account))
	m.HandleFunc("POST /account/password", s.post(s.passwordForm()))
	m.HandleFunc("POST /account/sign-out", s.post(s.signOutForm()))
	m.Handle("GET /static/", http.StripPrefix("/static/", assets))
	if a := s.API; a != nil {
		spec := a.Describe(m)
		m.HandleFunc("/api/", a.Missing)
		huma.Get(spec, "/api/v1/services", a.Services)
		huma.Get(spec, "/api/v1/services/{name}", a.Service)
		huma.Get(spec, "/api/v1/services/{name}/explain", a.Explain)
		huma.Get(spec, "/api/v1/services/{name}/outlook", a.Outlook)
		huma.Get(spec, "/api/v1/services/{name}/explain.csv", a.ExplainCSV)
		huma.Get(spec, "/api/v1/hosts", a.Hosts)
		huma.Get(spec, "/api/v1/hosts/{instance}/silences", a.Silences)
		huma.Get(spec, "/api/v1/damage", a.Damage)
		huma.Get(spec, "/api/v1/outages", a.Outages)
		huma.Get(spec, "/api/v1/outages/{id}", a.Outage)
		huma.Get(spec, "/api/v1/problems", a.Problems)
		huma.Get(spec, "/api/v1/problems/{no}", a.Problem)
		huma.Get(spec, "/api/v1/facts.csv", a.FactsCSV)
		huma.Get(spec, "/api/v1/catalogue", a.CatalogueYAML)
		huma.Get(spec, "/api/v1/report", a.Report)
		huma.Get(spec, "/api/v1/audit/verify", a.AuditVerify)
		huma.Get(spec, "/api/v1/periods", a.PeriodList)
		huma.Get(spec, "/api/v1/periods/{period}/versions/{version}", a.PeriodFrozen)
		huma.Post(spec, "/api/v1/periods/{period}/close", a.PeriodClose)
		huma.Post(spec, "/api/v1/periods/{period}/decide", a.PeriodDecide)
		huma.Post(spec, "/api/v1/periods/check", a.PeriodCheck)
		huma.Get(spec, "/api/v1/enrol-tokens", a.EnrolTokens)
		huma.Post(spec, "/api/v1/enrol-tokens", a.NewToken)
		huma.Get(spec, "/api/v1/senders", a.Senders)
		huma.Post(spec, "/api/v1/senders", a.NewSender)
		huma.Delete(spec, "/api/v1/senders/{name}", a.RevokeSender)
		huma.Delete(spec, "/api/v1/enrol-tokens/{id}", a.RevokeEnrolToken)
		huma.Post(spec, "/api/v1/hosts/{instance}/revoke", a.RevokeHost)
		huma.Get(spec, "/api/v1/authorities", a.Authorities)
		huma.Post(spec, "/api/v1/authorities/rotate", a.RotateCA)
		huma.Post(spec, "/api/v1/authorities/retire", a.RetireCA)
		huma.Get(spec, "/api/v1/users", a.Users)
		huma.Post(spec, "/api/v1/users", a.AddUser)
		huma.Patch(spec, "/api/v1/users/{name}", a.ChangeUser)
		huma.Get(spec, "/api/v1/tokens", a.Tokens)
		huma.Post(spec, "/api/v1/tokens", a.AddToken)
		huma.Delete(spec, "/api/v1/tokens/{id}", a.RevokeToken)
	}
	for pattern, h := range s.Mount {
		m.Handle(pattern, h)
	}
}
