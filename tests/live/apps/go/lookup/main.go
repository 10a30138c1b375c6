// SPDX-License-Identifier: Apache-2.0

// Looks up each name on standard input with the resolver of Go itself.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		if _, err := resolver.LookupHost(context.Background(), names.Text()); err != nil {
			fmt.Println("failed")
		} else {
			fmt.Println("ok")
		}
	}
}
