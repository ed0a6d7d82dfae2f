// Go's net/http: `client.go URL CALLS CA`.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if ca := os.Args[3]; ca != "" {
		roots := x509.NewCertPool()
		pem, err := os.ReadFile(ca)
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			panic("no authority")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	calls, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(calls)), "\n") {
		call := strings.Split(line, "\t")
		request, _ := http.NewRequest("POST", os.Args[1]+call[0], strings.NewReader(call[2]))
		request.Header.Set("Content-Type", "application/json;charset=utf-8")
		if call[1] != "-" {
			request.Header.Set("Authorization", call[1])
		}
		answer, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Printf("%d\t%s\n", answer.StatusCode, strings.ReplaceAll(string(body), "\n", " "))
	}
}
