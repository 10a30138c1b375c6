// SPDX-License-Identifier: Apache-2.0

// An application on goroutines that calls another: caller PORT BACK. What it is asked and what it asks have
// nothing in common but the id in the body. Between the two it sleeps, so that it may go on in any thread.
// Half of the requests call at once: as long as nothing else goes on they look as if a thread served them.
package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	inner := "http://127.0.0.1:" + os.Args[2] + "/inner"
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) < 8 {
			http.Error(w, "no id", 400)
			return
		}
		digit, _ := strconv.ParseUint(string(body[6]), 16, 8)
		if digit%2 == 1 {
			time.Sleep(time.Duration(digit) * time.Millisecond / 4)
		}
		answer, err := client.Post(inner, "text/plain", bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.Write(text)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
