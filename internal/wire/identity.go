package wire

// EnrolRequest asks for a certificate with a one-time token.
type EnrolRequest struct {
	Token    string `json:"token"` // the secret part alone
	Hostname string `json:"hostname"`
	CSR      string `json:"csr"` // PEM
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Version  string `json:"version"`
	// Previous is the certificate (PEM) this host had, when it enrols again;
	// Proof is a signature by its key, which keeps the host's id and name.
	Previous string `json:"previous,omitempty"`
	Proof    []byte `json:"proof,omitempty"`
}

// EnrolResponse carries the identity of a host.
type EnrolResponse struct {
	Host        string `json:"host"`        // the stable id, also in the certificate's URI SAN
	Instance    string `json:"instance"`    // the name it is listed under
	Certificate string `json:"certificate"` // PEM, leaf
	CA          string `json:"ca"`          // PEM: every authority to trust, two while one is being replaced
}

// RenewRequest asks for the next certificate of the connection's host. The
// request is signed by the very key the connection was proven with.
type RenewRequest struct {
	CSR     string `json:"csr"` // PEM
	Version string `json:"version"`
}

// RenewResponse carries the next certificate.
type RenewResponse struct {
	Certificate string `json:"certificate"` // PEM, leaf
	CA          string `json:"ca"`          // PEM, as in EnrolResponse
}
