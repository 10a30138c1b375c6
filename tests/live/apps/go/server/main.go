// SPDX-License-Identifier: Apache-2.0

// A Go server of the live tests: /b/<status>/<size>[/chunked] answers with that many octets.
// Its log is the truth: one line a finished response, `method target status octets`.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

var (
	body = strings.Repeat("o", 1<<20)
	lock sync.Mutex
	out  *bufio.Writer
)

func answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	status, size, chunked := 404, 9, false
	part := strings.Split(r.URL.Path, "/")
	if len(part) >= 4 && part[1] == "b" {
		status, _ = strconv.Atoi(part[2])
		size, _ = strconv.Atoi(part[3])
		chunked = len(part) > 4
	}
	sent := size
	if r.Method == "HEAD" || status == 204 || status == 304 {
		sent = 0
	}
	if !chunked && status != 204 && status != 304 {
		w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	w.WriteHeader(status)
	if sent > 0 {
		if chunked {
			io.WriteString(w, body[:1])
			w.(http.Flusher).Flush()
			io.WriteString(w, body[1:size])
		} else {
			io.WriteString(w, body[:size])
		}
	}
	lock.Lock()
	fmt.Fprintf(out, "%s %s %d %d\n", r.Method, r.URL.RequestURI(), status, sent)
	out.Flush()
	lock.Unlock()
}

func main() {
	file, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	out = bufio.NewWriter(file)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(answer)))
}
