package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// newClients makes independent clients with the settings of client-go's transports.
func newClients(job Job) ([]*http.Client, error) {
	certificate, err := tls.LoadX509KeyPair(job.Cert, job.Key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(job.CA)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, errors.New(job.CA + " holds no certificate")
	}
	count := job.Clients
	if count == 0 {
		count = max(job.Workers, 1)
	}
	clients := make([]*http.Client, count)
	for index := range clients {
		clients[index] = &http.Client{Transport: newTransport(job.HTTP2, trusted, certificate)}
	}
	return clients, nil
}

func newTransport(http2 bool, trusted *x509.CertPool, certificate tls.Certificate) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Transport{
		Protocols:           &protocols,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 25,
		// What is asked for is in the request's own header; nothing is decompressed.
		DisableCompression: true,
		DialContext:        (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:   tls.VersionTLS13,
			RootCAs:      trusted,
			Certificates: []tls.Certificate{certificate},
		},
	}
}
