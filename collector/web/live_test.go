package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestLiveInABrowser: an open overview follows the clock by itself under its
// content security policy, and its button works.
func TestLiveInABrowser(t *testing.T) {
	browser := need.Program(t, "chromium", "chromium")
	s, server := open(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	s.Tick(10 * time.Second)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("foot").textContent.includes("2026-11-25 12:00:10")`, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		t.Errorf("the page does not follow the clock: %v", err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Click("#next button")); err != nil {
		t.Errorf("press the button: %v", err)
	}
	if _, err := chromedp.Run(ctx, chromedp.WaitVisible("#services")); err != nil {
		t.Errorf("the overview does not come back: %v", err)
	}
}
