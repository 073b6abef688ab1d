package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/web"
	"github.com/plimsoll/plimsoll/collector/words"
)

// openPages joins everything people and Grafana see to one handler.
func (c *Collector) openPages() (err error) {
	if c.words, err = words.Read(); err != nil {
		return err
	}
	c.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	programs := api.New(api.Options{
		Figures: c.figures, Store: c.ledger, Facts: followed{c}, Report: c.writeReport, Damage: c.damage.In, Admission: c, Reload: c.ReloadCatalogue, People: c.door, NewSender: c.NewSender, Senders: c.ledger, Periods: c.closing,
		Work: c.work, Corrections: c.corrections, Values: c.values, Words: c.words, Version: c.opt.Version, Now: c.opt.Now, Log: c.opt.Log,
	})
	site, err := web.New(web.Options{
		Figures: c.figures, Store: c.ledger, Samples: c.promql, Damage: c.damage.In, API: programs, Version: c.opt.Version, Now: c.opt.Now, Log: c.opt.Log,
		Program: c.opt.Program, Asked: c.asked, Progress: c.progress, Periods: c.closing, Next: c.next, Actions: c.actions(),
		Work: c.work, Corrections: c.corrections, Values: c.values,
		Ledger:          func() (int, ledger.LostEnd) { return c.ledger.DamagedPages(), c.ledger.LostEnd() },
		CatalogueFaults: c.catalogueFaults, Door: c.door, Login: c.whenLogin(), Secure: c.tls != nil, Refused: c.countRefused(), Demonstration: c.demo != nil,
		Mount: map[string]http.Handler{
			"/prometheus/api/v1/": api.Prometheus(c.promql, c.opt.Version),
			"GET /metrics":        promhttp.HandlerFor(c.registry, promhttp.HandlerOpts{}),
			"GET /-/healthy":      http.HandlerFunc(c.healthy),
			"GET /-/ready":        http.HandlerFunc(c.readiness),
		},
	})
	if err != nil {
		return fmt.Errorf("prepare the pages: %w", err)
	}
	c.pages = site
	return c.openHost()
}

func (c *Collector) writeReport(ctx context.Context, w io.Writer, customer, period, lang string, asOf time.Time) error {
	source := report.Source{Figures: c.figures, Records: c.ledger, Words: c.words, Damage: c.damage.In, Annotations: c.corrections, Closed: c.closing.Status}
	model, err := report.Build(ctx, source, report.Options{Customer: customer, Period: period, Lang: lang, AsOf: asOf, Simulated: c.simulated(customer)})
	if err != nil {
		return err
	}
	if err := report.HTML(w, model); err != nil {
		return err
	}
	return c.tell(ctx, "report.made", "report of "+customer+" for "+period, lang)
}

// tell puts into the audit chain what the visitor of ctx did.
func (c *Collector) tell(ctx context.Context, action, subject, detail string) error {
	v, ok := people.From(ctx)
	if !ok {
		return c.ledger.Tell(ctx, action, subject, detail, people.Act{})
	}
	return c.ledger.Tell(ctx, action, subject, detail, v.By())
}

// progress is how far the series have caught up with the journal, 0 to 1.
func (c *Collector) progress() (share float64, ready bool) {
	applied, last, ready := c.series.Progress()
	if last == 0 {
		return 1, ready
	}
	return float64(applied) / float64(last), ready
}

// healthy answers as long as the process does.
func (c *Collector) healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "healthy")
}

// readiness is 503 while the series are being rebuilt from the journal:
// batches are acknowledged and outages found meanwhile.
func (c *Collector) readiness(w http.ResponseWriter, _ *http.Request) {
	share, ready := c.progress()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ready {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "the series are catching up with the journal: %.0f %%\n", share*100)
		return
	}
	fmt.Fprintln(w, "ready")
}

// Names of the actions of the sample page.
const (
	actionStopSample  = "stop-sample"
	actionStartSample = "start-sample"
)

func (c *Collector) actions() map[string]func(context.Context) error {
	if c.opt.Sample == nil {
		return nil
	}
	return map[string]func(context.Context) error{
		actionStopSample: func(ctx context.Context) error {
			c.opt.Log.Info("sample page stopped by its button")
			if err := c.opt.Sample.Stop(); err != nil {
				return err
			}
			return c.tell(ctx, "sample.stopped", "sample page", "")
		},
		actionStartSample: func(ctx context.Context) error {
			c.opt.Log.Info("sample page started by its button")
			if err := c.opt.Sample.Start(); err != nil {
				return err
			}
			return c.tell(ctx, "sample.started", "sample page", "")
		},
	}
}

// next is what the overview offers to do next; only what works.
func (c *Collector) next(context.Context) []web.Step {
	var steps []web.Step
	if s := c.opt.Sample; s != nil {
		step := web.Step{
			Title: both("Break something", "试着让它中断"), Link: "http://" + s.Addr() + "/", LinkText: both("open the sample page", "打开示例页面"),
			Text:   both("The sample page is up. Stop it: within 15 seconds you see an outage being born.", "示例页面运行中。按下停止，15 秒内即可看到一次服务中断如何产生。"),
			Action: actionStopSample, Button: both("Stop the sample page", "停止示例页面"),
		}
		if !s.Running() {
			step.Text = both("The sample page is stopped. Start it: the outage ends, and stays in the figures.", "示例页面已停止。启动它：中断结束，并保留在数字中。")
			step.Action, step.Button, step.Link = actionStartSample, both("Start the sample page", "启动示例页面"), ""
		}
		steps = append(steps, step)
	}
	return append(steps,
		c.addServer(),
		web.Step{Title: both("Describe a service", "描述一个服务"),
			Text:    both("Edit the catalogue, check it, and load it with plimsoll-collector reload.", "编辑服务目录，检查，然后用 plimsoll-collector reload 加载。"),
			Command: c.opt.Program + " check --catalogue " + web.ShellWord(absolute(c.opt.Config.cataloguePath()))},
		c.grafana(),
		web.Step{Title: both("Make a report", "生成报告"), Link: "/reports", LinkText: both("reports", "报告"),
			Text: both("This month's service report of a customer, as one file.", "某客户本月的服务报告，单个文件。")},
	)
}

// addServer is the step that lets another host in, or what must come before it.
func (c *Collector) addServer() web.Step {
	step := web.Step{Title: both("Add a server", "添加服务器"),
		Text:    both("Make a one-time token; it prints the line to run there.", "生成一次性令牌，并打印要在该服务器上运行的命令。"),
		Command: c.opt.Program + " enrol create " + c.asked()}
	if c.onlyThisHost() != "" {
		step.Text = both("Only this host can deliver yet. Stop Plimsoll and start it with this line: it lets agents in from other hosts, over TLS; the pages stay where they are. Then this step gives the next one.",
			"目前只有本机可以上报数据。请停止 Plimsoll，并用下面的命令重新启动：其他主机的代理即可通过 TLS 接入；页面的监听地址不变。之后此处会给出下一步。")
		step.Command = c.startReachable()
	}
	return step
}

// absolute is path as one in any other directory names it.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// grafana is the step that connects it; where people log in it needs a token.
func (c *Collector) grafana() web.Step {
	step := web.Step{Title: both("Connect Grafana", "连接 Grafana"),
		Text:    both("A stock Prometheus data source with this address; the board is dashboards/plimsoll.json.", "使用标准 Prometheus 数据源，地址如下；看板为 dashboards/plimsoll.json。"),
		Command: c.URL() + "/prometheus"}
	if c.needsLogin() {
		step.Text = both("A stock Prometheus data source with this address and the header Authorization: Bearer TOKEN; plimsoll-collector token create makes one. The board is dashboards/plimsoll.json.",
			"使用标准 Prometheus 数据源，地址如下，并添加请求头 Authorization: Bearer TOKEN；令牌由 plimsoll-collector token create 生成。看板为 dashboards/plimsoll.json。")
	}
	return step
}

func both(en, zh string) map[string]string { return map[string]string{"en": en, "zh-CN": zh} }
