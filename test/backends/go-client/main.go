// A client as Go programs are: `lookup NAME` by Go's own resolver, `tls NAME ADDRESS` by Go's own TLS. Stays until its input ends.
package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
)

func main() {
	switch os.Args[1] {
	case "lookup":
		(&net.Resolver{PreferGo: true}).LookupHost(context.Background(), os.Args[2])
	case "tls":
		if connection, err := net.Dial("tcp", os.Args[3]); err == nil {
			go tls.Client(connection, &tls.Config{ServerName: os.Args[2]}).Handshake()
		}
	}
	io.Copy(io.Discard, os.Stdin)
}
