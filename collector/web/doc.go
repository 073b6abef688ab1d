// Package web is what people see in a browser: server-rendered pages, one
// style sheet, one small script, drawings as SVG, nothing from elsewhere.
//
//	routes.go      every route of the people's listener on one screen
//	overview.go, service.go, host.go, outage.go, problem.go, reports.go
//	               one page each: its view (texts only) and how it is filled
//	templates/     one per page, and parts.html for what several share
//
// A page shows what was known at ?as_of= (now by default) and prints that
// instant. Figures come from collector/figures, text from collector/words.
package web
