// SPDX-License-Identifier: Apache-2.0

// The Go client of the live tests: client PORT COUNT PREFIX; eight requests at a time.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

var paths = []string{"/f1.bin", "/f777.bin", "/f5000.bin", "/f70000.bin", "/none", "/moved"}

func one(client *http.Client, port string, i int, prefix string) {
	method := []string{"GET", "HEAD", "POST"}[i%3]
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader(strings.Repeat("b", i%5000))
	}
	url := fmt.Sprintf("http://127.0.0.1:%s%s?id=%s%d", port, paths[i%len(paths)], prefix, i)
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var group sync.WaitGroup
	for n := 0; n < 8; n++ {
		group.Add(1)
		go func(first int) {
			defer group.Done()
			for i := first; i < count; i += 8 {
				one(client, os.Args[1], i, os.Args[3])
			}
		}(n)
	}
	group.Wait()
}
