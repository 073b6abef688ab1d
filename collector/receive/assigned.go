package receive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// checks answers with the checks of the host whose certificate asks, and of
// no other: nothing in the request names one.
func (r *Receiver) checks(w http.ResponseWriter, req *http.Request) {
	host, refused := r.who(req)
	if refused != nil {
		r.refuse(w, "", refused)
		return
	}
	list := wire.Checks{Checks: []wire.AssignedCheck{}}
	if r.opts.Assigned != nil {
		list = r.opts.Assigned(host.Instance)
	}
	body, err := json.Marshal(list)
	if err != nil || len(body) > wire.MaxChecks {
		r.opts.Log.Error("the checks of a host cannot be sent", "host", host.Instance, "bytes", len(body), "at_most", wire.MaxChecks, "err", err)
		r.refuse(w, host.Instance, &refusal{status: http.StatusInternalServerError, reason: "checks", text: "the checks of this host are too many to be sent: let several hosts share them"})
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	if req.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The agent asks again when this does not reach it.
	_, _ = w.Write(body)
}
